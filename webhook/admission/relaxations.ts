import { isDeepStrictEqual } from "node:util";
import type { AdmissionSettings } from "../settings/schema.ts";
import type { Findings } from "./findings.ts";
import { valueAt } from "./patch.ts";
import type { Container, Quantities } from "./pod.ts";
import { lookUp } from "./pod.ts";
import { qosClass } from "./qos.ts";
import { parseQuantity, scaleQuantity } from "./quantity.ts";
import type { Sidecar } from "./sidecar.ts";
import type { Relaxed } from "./status.ts";

interface Context {
  readonly found: Findings;
  readonly sidecar: Sidecar;
  readonly settings: AdmissionSettings["relaxations"];
}

/** One field of the sidecar, and what it becomes. Returning the original keeps it. */
interface Relaxation {
  readonly field: readonly string[];
  readonly relax: (original: unknown, context: Context) => unknown;
}

/**
 * The table of relaxations; each name is a setting, whose description says what it does. `runAsUser` and `runAsGroup`
 * are not in it and never will be: Istio's redirection tells the sidecar's traffic by them.
 */
const RELAXATIONS = {
  cpuLimit: {
    field: ["resources", "limits", "cpu"],
    relax: (limit, context) => scaledLimit("cpu", limit, context.settings.cpuLimit, context),
  },
  memoryLimit: {
    field: ["resources", "limits", "memory"],
    relax: (limit, context) => scaledLimit("memory", limit, context.settings.memoryLimit, context),
  },
  capabilities: {
    field: ["securityContext", "capabilities", "add"],
    relax: (added, { settings }) => {
      const own = Array.isArray(added) ? added : [];
      const missing = own.includes("ALL") ? [] : settings.capabilities.filter((name) => !own.includes(name));
      return missing.length === 0 ? added : [...own, ...missing];
    },
  },
  readOnlyRootFilesystem: {
    field: ["securityContext", "readOnlyRootFilesystem"],
    relax: (readOnly, { settings }) =>
      settings.readOnlyRootFilesystem === "off" && readOnly === true ? false : readOnly,
  },
  allowPrivilegeEscalation: {
    field: ["securityContext", "allowPrivilegeEscalation"],
    relax: (allowed, { settings }) =>
      settings.allowPrivilegeEscalation === "on" && allowed === false ? true : allowed,
  },
  seccompProfile: {
    field: ["securityContext", "seccompProfile"],
    relax: (profile, { settings }) => (settings.seccompProfile === "Unconfined" ? { type: "Unconfined" } : profile),
  },
} as const satisfies Record<string, Relaxation>;

const TABLE = Object.entries<Relaxation>(RELAXATIONS);

export interface AppliedRelaxation {
  readonly name: string;
  readonly field: readonly string[];
  readonly record: Relaxed;
  /** False where the sidecar is already as it should be. */
  readonly changes: boolean;
}

/**
 * What is to be relaxed in the sidecar. An original that an earlier round recorded is believed only where relaxing it
 * gives just what the sidecar has now; where somebody reset that since, as Istio's injector does, or wrote the record
 * himself, what is found is the original. So relaxing twice is relaxing once.
 */
export function relaxations(found: Findings, settings: AdmissionSettings): readonly AppliedRelaxation[] {
  const { sidecar, recorded } = found;
  if (!sidecar) return [];
  const context = { found, sidecar, settings: settings.relaxations };
  const applied: AppliedRelaxation[] = [];
  for (const [name, { field, relax }] of TABLE) {
    const current = valueAt(sidecar.container, field) ?? undefined;
    const record = recorded.get(name);
    const before = record?.from ?? undefined;
    const done = record !== undefined && isDeepStrictEqual(relax(before, context), current);
    const original = done ? before : current;
    const target = done ? current : relax(current, context);
    if (target === original || isDeepStrictEqual(target, original)) continue;
    applied.push({ name, field, record: { from: original ?? null, to: target }, changes: !done });
  }
  return applied;
}

/** Characters; a longer record than any version writes is somebody's who wants to fill the annotation. */
const MAX_RECORD = 512;

/** Recorded relaxations that this version does not know. */
export function unknownRelaxations(recorded: ReadonlyMap<string, Relaxed>): readonly (readonly [string, Relaxed])[] {
  return [...recorded].filter(
    (entry) => !Object.hasOwn(RELAXATIONS, entry[0]) && JSON.stringify(entry).length <= MAX_RECORD,
  );
}

function scaledLimit(resource: "cpu" | "memory", limit: unknown, factor: number, context: Context): unknown {
  if (factor === 1 || (typeof limit !== "string" && typeof limit !== "number")) return limit;
  const quantity = parseQuantity(limit);
  if (!quantity || quantity.nanos <= 0n) return limit;
  const scaled = scaleQuantity(quantity, factor);
  return qosWith(resource, limit, context) === qosWith(resource, scaled, context) && fitsPod(resource, scaled, context)
    ? scaled
    : limit;
}

/** The pod's class, were this the sidecar's limit. */
function qosWith(resource: string, limit: string | number, { found, sidecar }: Context) {
  const { pod, others, qos } = found;
  if (lookUp(sidecar.container.resources?.limits, resource) === limit) return qos;
  const changed = withLimit(sidecar.container, resource, limit);
  return qosClass(
    others.map((one) => (one === sidecar.container ? changed : one)),
    pod.spec.resources,
  );
}

function withLimit(container: Container, resource: string, limit: string | number): Container {
  const limits: Quantities = { ...container.resources?.limits, [resource]: limit };
  const requests: Quantities = { ...container.resources?.limits, ...container.resources?.requests };
  return { ...container, resources: { limits, requests } };
}

/** A container's limit above the pod's own would make the API server refuse the pod. */
function fitsPod(resource: string, scaled: string, { found }: Context): boolean {
  const whole = lookUp(found.pod.spec.resources?.limits, resource);
  const most = whole === undefined ? undefined : parseQuantity(whole)?.nanos;
  const wanted = parseQuantity(scaled)?.nanos;
  return most === undefined || wanted === undefined || wanted <= most;
}
