/** What each scene changes in the mesh or in the pods, and what must come of every pod then. */
export interface Scene {
  readonly title: string;
  /** What a person would do to get here. */
  readonly how: string;
  readonly reason: string;
  /** An edit of the sample mesh: file, what stands there, what to write instead. */
  readonly edit?: { readonly file: string; readonly find: RegExp; readonly write: string };
  /** Pods without the annotation. */
  readonly unannotated?: boolean;
}

export const SCENES: readonly Scene[] = [
  {
    title: "The mesh switch is on, the pods are annotated",
    how: "manifests/samples as they are",
    reason: "Injected",
  },
  {
    title: "The mesh switch is off",
    how: "spec.smcEnabled: false in the ASMMeshConfig",
    reason: "MeshDisabled",
    edit: { file: "mesh.yaml", find: /smcEnabled: true/g, write: "smcEnabled: false" },
  },
  {
    title: "The annotation is missing",
    how: "no smc.asm.alibabacloud.com/enabled on the pod template",
    reason: "NotRequested",
    unannotated: true,
  },
  {
    title: "No node can do SMC",
    how: 'every node labelled smc.asm.alibabacloud.com/eligible: "false"',
    reason: "NoEligibleNode",
    edit: { file: "nodes.yaml", find: /eligible: "true"/g, write: 'eligible: "false"' },
  },
];
