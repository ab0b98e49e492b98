import { LABEL, MESH_CONFIG } from "../admission/names.ts";
import type { Delivery } from "../cluster/watch.ts";
import { type JudgedNode, type Reading, readName, readNamespace, readNode, readSwitch } from "./objects.ts";
import type { Labels, MeshSwitch } from "./view.ts";

/** What is kept of an object; undefined where nothing is. */
export interface Kept<T> {
  readonly name: string;
  readonly value: T | undefined;
}

/** Of a namespace. Clusters have thousands, and the other labels are never asked for. */
const NAMESPACE_LABELS = [LABEL.injection, LABEL.podSecurityEnforce] as const;

const NO_LABELS: Labels = new Map();

/** @throws Error for what no API server sends */
export function keepSwitch(object: unknown): Kept<MeshSwitch> {
  return { name: sound(readName(object), `an ${MESH_CONFIG.kind}`), value: readSwitch(object) };
}

/** The switch as it is after a delivery; undefined where that is of an ASMMeshConfig that does not count. */
export function deliveredSwitch(delivery: Delivery<Kept<MeshSwitch>>): MeshSwitch | undefined {
  if (delivery.kind === "replace") {
    if (delivery.absent) return KIND_UNKNOWN;
    const found = delivery.objects.find(({ name }) => name === MESH_CONFIG.name);
    return found?.value ?? readSwitch(undefined);
  }
  const { name, value } = delivery.object;
  if (name !== MESH_CONFIG.name) return undefined;
  return delivery.kind === "delete" ? readSwitch(undefined) : value;
}

const KIND_UNKNOWN: MeshSwitch = {
  enabled: false,
  note: `the cluster does not know the kind ${MESH_CONFIG.kind} (${MESH_CONFIG.apiVersion}): apply its CRD`,
};

/** @throws Error for what no API server sends */
export function keepNode(object: unknown): Kept<JudgedNode> {
  const name = sound(readName(object), "a Node");
  return { name, value: sound(readNode(object), `Node ${name}`) };
}

/** @throws Error for what no API server sends */
export function keepNamespace(object: unknown): Kept<Labels> {
  const { name, labels } = sound(readNamespace(object), "a Namespace");
  const kept = NAMESPACE_LABELS.flatMap((key) => {
    const value = labels.get(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return { name, value: kept.length === 0 ? NO_LABELS : new Map(kept) };
}

export const sameLabels = (one: Labels, other: Labels): boolean =>
  one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);

export const sameNode = (one: JudgedNode, other: JudgedNode): boolean =>
  one.verdict.eligible === other.verdict.eligible &&
  one.verdict.reason === other.verdict.reason &&
  one.verdict.method === other.verdict.method &&
  (one.labels === undefined || other.labels === undefined
    ? one.labels === other.labels
    : sameLabels(one.labels, other.labels));

function sound<T>(reading: Reading<T>, what: string): T {
  if ("value" in reading) return reading.value;
  throw new Error(`${what}: ${reading.fault.message}`);
}

/** Whether the switches say the same, of whatever version. */
export const sameSwitch = (one: MeshSwitch, other: MeshSwitch): boolean =>
  one.enabled === other.enabled && one.note === other.note;
