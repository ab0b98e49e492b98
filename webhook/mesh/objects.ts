import { eligibleNodes } from "../admission/eligible-nodes.ts";
import { isObject } from "../admission/json.ts";
import { LABEL, MESH_CONFIG } from "../admission/names.ts";
import type { Labels, MeshState, MeshSwitch, NodeVerdict } from "./view.ts";

/** What is wrong with an object, and where in it. */
export interface ObjectFault {
  readonly path: readonly string[];
  readonly message: string;
}

export type Reading<T> = { readonly value: T } | { readonly fault: ObjectFault };

/** A node that carries the eligibility label. */
export interface JudgedNode {
  readonly verdict: NodeVerdict;
  /** Undefined where the node is not eligible: nobody asks for them, and they need not be kept. */
  readonly labels: Labels | undefined;
}

export interface NamespaceLabels {
  readonly name: string;
  readonly labels: Labels;
}

/**
 * The switch as an ASMMeshConfig says it; undefined stands for its absence. Only `spec.smcEnabled: true`, the
 * boolean, is on. Whatever else is off, with a note where nobody wrote `false`.
 */
export function readSwitch(asmMeshConfig: unknown): MeshSwitch {
  if (asmMeshConfig === undefined) {
    return { enabled: false, note: `there is no ${MESH_CONFIG.kind} (${MESH_CONFIG.apiVersion}) named "default"` };
  }
  const version = field(field(asmMeshConfig, "metadata"), "resourceVersion");
  const known = typeof version === "string" || typeof version === "number" ? { resourceVersion: String(version) } : {};
  const spec = field(asmMeshConfig, "spec");
  const enabled = field(spec, "smcEnabled");
  if (typeof enabled === "boolean") return { enabled, ...known };
  if (spec !== undefined && spec !== null && !isObject(spec)) {
    return { enabled: false, note: `spec is ${described(spec)}; it must be a mapping`, ...known };
  }
  if (enabled === undefined) return { enabled: false, note: "spec.smcEnabled is not set", ...known };
  const note = `spec.smcEnabled is ${described(enabled)}; it must be the boolean true`;
  return { enabled: false, note, ...known };
}

/** A Node (v1); undefined where the labeler has not judged it. */
export function readNode(object: unknown): Reading<JudgedNode | undefined> {
  const read = readNamespace(object);
  if ("fault" in read) return read;
  const { name, labels } = read.value;
  const label = labels.get(LABEL.eligible);
  if (label === undefined) return { value: undefined };
  const eligible = label === "true";
  const method = labels.get(LABEL.method);
  const reason = labels.get(LABEL.reason) ?? "";
  const verdict = { name, eligible, reason, ...(method === undefined ? {} : { method }) };
  return { value: { verdict, labels: eligible ? labels : undefined } };
}

/** A Namespace (v1), or any other object of which only the name and the labels matter. */
export function readNamespace(object: unknown): Reading<NamespaceLabels> {
  const named = readName(object);
  if ("fault" in named) return named;
  const written = field(field(object, "metadata"), "labels") ?? {};
  const path = ["metadata", "labels"];
  if (!isObject(written)) return fault(path, `metadata.labels is ${described(written)}; it must be a mapping`);
  const labels = new Map<string, string>();
  for (const [key, value] of Object.entries(written)) {
    if (typeof value !== "string") {
      return fault([...path, key], `label ${key} is ${described(value)}; it must be a string: quote it`);
    }
    labels.set(key, value);
  }
  return { value: { name: named.value, labels } };
}

/** The name of any object. */
export function readName(object: unknown): Reading<string> {
  const metadata = field(object, "metadata");
  if (!isObject(metadata)) return fault(["metadata"], "the object has no metadata.name");
  const name = field(metadata, "name");
  if (typeof name === "string" && name !== "") return { value: name };
  if (name === undefined || name === null || name === "") return fault(["metadata"], "the object has no metadata.name");
  return fault(["metadata", "name"], `metadata.name is ${described(name)}; it must be a string: quote it`);
}

/** Puts what was read of single objects together to one picture. */
export function meshState(read: {
  readonly meshSwitch: MeshSwitch;
  readonly nodes: Iterable<JudgedNode>;
  readonly namespaces: Iterable<NamespaceLabels>;
}): MeshState {
  const nodes = new Map<string, NodeVerdict>();
  const eligible: NamespaceLabels[] = [];
  for (const { verdict, labels } of read.nodes) {
    nodes.set(verdict.name, verdict);
    if (labels) eligible.push({ name: verdict.name, labels });
  }
  const namespaces = new Map<string, Labels>();
  for (const { name, labels } of read.namespaces) namespaces.set(name, labels);
  return { meshSwitch: read.meshSwitch, nodes, eligible: eligibleNodes(eligible), namespaces };
}

/** A field of an object, if it is an object and has the field itself. */
export const field = (object: unknown, name: string): unknown =>
  isObject(object) && Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined;

/** A value as a sentence names it: `the string "true"`, `a list`. */
export function described(value: unknown): string {
  if (value === undefined || value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return `the ${typeof value} ${typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : value}`;
}

const fault = (path: readonly string[], message: string): { readonly fault: ObjectFault } => ({
  fault: { path, message },
});
