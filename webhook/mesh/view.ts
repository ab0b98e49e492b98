import type { EligibleNodes } from "../admission/eligible-nodes.ts";

export type Labels = ReadonlyMap<string, string>;

/** The mesh's switch, as last read from the ASMMeshConfig named `default`. */
export interface MeshSwitch {
  readonly enabled: boolean;
  /** Why it is off though nobody wrote `false`: no such object, no such field, a wrong type. */
  readonly note?: string;
  /** Of the ASMMeshConfig; absent where there is none. */
  readonly resourceVersion?: string;
}

/** A node that the labeler has judged, eligible or not. */
export interface NodeVerdict {
  readonly name: string;
  readonly eligible: boolean;
  /** The first failed check's code, or `Eligible`; empty where the label is missing. */
  readonly reason: string;
  readonly method?: string;
}

/** One consistent picture of the mesh. Immutable: a change makes a new one. */
export interface MeshState {
  readonly meshSwitch: MeshSwitch;
  /** Every judged node, by name. */
  readonly nodes: ReadonlyMap<string, NodeVerdict>;
  /** The eligible ones with their labels, ready to be asked which pods they suit. */
  readonly eligible: EligibleNodes;
  /** Every namespace's labels, by its name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
}

/** Something that keeps the picture from being up to date. */
export interface MeshFault {
  /** Where: a file's path and line, or an API resource. */
  readonly where: string;
  readonly message: string;
}

/**
 * What the server knows of the mesh, and how well. Sources: a folder of YAML, or watches on an API server.
 * A source that fails keeps its last state and reports a fault.
 */
export interface MeshView {
  /** The newest complete picture; undefined until everything has been read once. */
  readonly state: MeshState | undefined;
  /** What a person would call the source: `embedded` and the folder, `kubernetes` and the server. */
  readonly source: { readonly kind: string; readonly location: string };
  /** When the source was last known to agree with `state`; undefined before the first reading. */
  readonly readAt: Date | undefined;
  readonly faults: readonly MeshFault[];
  close(): Promise<void>;
}
