import type { NodeSelectorRequirement, NodeSelectorTerm, PodSpec, StringMap } from "./pod.ts";

/** What a pod demands of its node: all of `nodeSelector`, and one of `terms` where there are any. */
export interface NodeDemand {
  readonly nodeSelector: StringMap;
  /** Undefined where the pod has no required node affinity; an empty list suits no node. */
  readonly terms: readonly NodeSelectorTerm[] | undefined;
}

export interface LabelledNode {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

export function nodeDemand(spec: PodSpec): NodeDemand {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return {
    nodeSelector: spec.nodeSelector ?? {},
    terms: required ? (required.nodeSelectorTerms ?? []) : undefined,
  };
}

/**
 * The node that the pod is bound to: by `nodeName`, or by `matchFields` on the node's name in every required term,
 * as the DaemonSet controller writes it. Undefined where more than one node is left to choose from.
 */
export function boundNode(spec: PodSpec): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const names = (nodeDemand(spec).terms ?? []).map(namedNode);
  const [first] = names;
  return names.every((name) => name === first) ? first : undefined;
}

/** The one node that a term's `matchFields` leave. */
export function namedNode(term: NodeSelectorTerm): string | undefined {
  const named = term.matchFields?.find(
    (field) => field.key === "metadata.name" && field.operator === "In" && field.values?.length === 1,
  );
  return named?.values?.[0];
}

/**
 * Whether the scheduler would let the pod onto the node, as far as `nodeSelector` and required node affinity go.
 * Source: k8s.io/component-helpers/scheduling/corev1/nodeaffinity.
 */
export function suits(demand: NodeDemand, node: LabelledNode): boolean {
  for (const [key, value] of Object.entries(demand.nodeSelector)) {
    if (node.labels.get(key) !== value) return false;
  }
  return demand.terms === undefined || demand.terms.some((term) => termMatches(term, node));
}

/** A term with neither expressions nor fields matches no node. */
export function isEmptyTerm(term: NodeSelectorTerm): boolean {
  return !term.matchExpressions?.length && !term.matchFields?.length;
}

function termMatches(term: NodeSelectorTerm, node: LabelledNode): boolean {
  if (isEmptyTerm(term)) return false;
  return (
    (term.matchExpressions ?? []).every((one) => expressionMatches(one, node.labels.get(one.key))) &&
    (term.matchFields ?? []).every((one) => fieldMatches(one, node.name))
  );
}

type Operator = (label: string | undefined, values: readonly string[]) => boolean;

/** A requirement that the API server would refuse (no values for In, two for Gt) matches nothing. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["In", (label, values) => label !== undefined && values.includes(label)],
  ["NotIn", (label, values) => values.length > 0 && (label === undefined || !values.includes(label))],
  ["Exists", (label, values) => values.length === 0 && label !== undefined],
  ["DoesNotExist", (label, values) => values.length === 0 && label === undefined],
  ["Gt", (label, values) => compare(label, values, (a, b) => a > b)],
  ["Lt", (label, values) => compare(label, values, (a, b) => a < b)],
]);

function expressionMatches({ operator, values }: NodeSelectorRequirement, label: string | undefined): boolean {
  const wanted = values ?? [];
  return (OPERATORS.get(operator)?.(label, wanted) ?? false) && wanted.every(isLabelValue);
}

/** The scheduler passes over a term with a value that no label can have, such as the -1 of `Gt -1`. */
function isLabelValue(value: string): boolean {
  return /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(value);
}

/** Of a node's fields only `metadata.name` can be asked for, by In or NotIn with one value. */
function fieldMatches({ key, operator, values }: NodeSelectorRequirement, name: string): boolean {
  if (key !== "metadata.name" || values?.length !== 1) return false;
  if (operator === "In") return values[0] === name;
  return operator === "NotIn" && values[0] !== name;
}

function compare(
  label: string | undefined,
  values: readonly string[],
  holds: (label: bigint, wanted: bigint) => boolean,
): boolean {
  const [value, ...more] = values;
  if (label === undefined || value === undefined || more.length > 0) return false;
  const found = int64(label);
  const wanted = int64(value);
  return found !== undefined && wanted !== undefined && holds(found, wanted);
}

/** As Go's strconv.ParseInt(text, 10, 64) reads it. */
function int64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,64}$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}
