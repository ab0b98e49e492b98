/** What stands for a container image: a folder of this machine. The rest of the machine's files are there as well. */
export interface Image {
  readonly folder: string;
  /** Where the container sees the folder; it is its working directory too, unless the pod says otherwise. */
  readonly target: string;
  /** Where the container looks for commands before the usual places. */
  readonly path: string;
}

/** By the image's name in the pod. */
export type Images = Readonly<Record<string, Image>>;

/** Something in a pod that this kubelet cannot do. It shows in the pod's status. */
export class Unsupported extends Error {}
