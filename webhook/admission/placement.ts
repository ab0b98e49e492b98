import { isDeepStrictEqual } from "node:util";
import type { AdmissionSettings } from "../settings/schema.ts";
import { ANNOTATION, LABEL } from "./names.ts";
import { isEmptyTerm } from "./node-selector.ts";
import { add, type Operation, pointer, valueAt, writer } from "./patch.ts";
import { lookUp, type NodeSelectorTerm, type Pod } from "./pod.ts";

export const PLACEMENTS = ["prefer", "require", "ignore"] as const;
export type Placement = (typeof PLACEMENTS)[number];

export interface RequestedPlacement {
  readonly mode: Placement;
  /** The annotation's value, where it is none of the modes: then the setting's mode holds. */
  readonly invalid?: string;
}

export function requestedPlacement(pod: Pod, settings: AdmissionSettings): RequestedPlacement {
  const value = lookUp(pod.metadata?.annotations, ANNOTATION.placement);
  if (value === undefined) return { mode: settings.placement.mode };
  const mode = PLACEMENTS.find((one) => one === value);
  return mode ? { mode } : { mode: settings.placement.mode, invalid: value };
}

/** The label that says that a node can do SMC. */
const ELIGIBLE = { key: LABEL.eligible, operator: "In", values: ["true"] };
const PREFERRED = ["preferredDuringSchedulingIgnoredDuringExecution"];
const REQUIRED = ["requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];

/** Adds the node affinity of the mode, once; what the pod's author wrote stays. */
export function place(pod: Pod, { mode }: RequestedPlacement, settings: AdmissionSettings): readonly Operation[] {
  if (mode === "prefer") return prefer(pod, settings.placement.weight);
  if (mode === "require") return require(pod);
  return [];
}

function prefer(pod: Pod, weight: number): readonly Operation[] {
  const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
  const term = { weight, preference: { matchExpressions: [ELIGIBLE] } };
  if (preferred?.some((one) => isDeepStrictEqual(one, term))) return [];
  return append(pod, PREFERRED, term);
}

/** The terms are alternatives, so each one gets the condition. An empty term suits no node: a condition would open it. */
function require(pod: Pod): readonly Operation[] {
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required) return append(pod, REQUIRED, { matchExpressions: [ELIGIBLE] });
  const path = pointer("spec", "affinity", "nodeAffinity", ...REQUIRED);
  return (required.nodeSelectorTerms ?? []).flatMap((term, index) =>
    isEmptyTerm(term) || requiresEligible(term)
      ? []
      : term.matchExpressions
        ? [add(`${path}/${index}/matchExpressions/-`, ELIGIBLE)]
        : [add(`${path}/${index}/matchExpressions`, [ELIGIBLE])],
  );
}

function requiresEligible(term: NodeSelectorTerm): boolean {
  return term.matchExpressions?.some((one) => isDeepStrictEqual(one, ELIGIBLE)) ?? false;
}

/** Appends to a list of the pod's node affinity, which is made where it is absent. */
function append(pod: Pod, list: readonly string[], item: object): readonly Operation[] {
  const parts = ["affinity", "nodeAffinity", ...list];
  if (Array.isArray(valueAt(pod.spec, parts))) return [add(pointer("spec", ...parts, "-"), item)];
  return writer(pod.spec, pointer("spec"))(parts, [item]);
}
