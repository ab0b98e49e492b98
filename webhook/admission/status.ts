import { isObject } from "./json.ts";
import { ANNOTATION } from "./names.ts";
import { lookUp, type Pod } from "./pod.ts";

/** What one relaxation did. `from` is null where the field was absent. */
export interface Relaxed {
  readonly from: unknown;
  readonly to: unknown;
}

/** The status annotation's content: what the webhook did to the pod. */
export interface Status {
  /** Of the webhook. */
  readonly version: string;
  readonly injected: readonly string[];
  /** Whose sockets become SMC, as smc-init is told. */
  readonly sockets: string;
  readonly placement: string;
  /** By the relaxation's name: the sidecar's fields before and after. */
  readonly relaxed: Readonly<Record<string, Relaxed>>;
}

/** Characters; no version writes as many. */
const MAX_STATUS = 8192;

/**
 * What earlier rounds recorded as relaxed. The annotation is open to the pod's author, so nothing of it is believed
 * but what the sidecar itself bears out; here, what is no record at all is left out.
 */
export function recordedRelaxations(pod: Pod): ReadonlyMap<string, Relaxed> {
  const text = lookUp(pod.metadata?.annotations, ANNOTATION.status);
  const found = new Map<string, Relaxed>();
  if (!text || text.length > MAX_STATUS) return found;
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    return found;
  }
  if (!isObject(status) || !isObject(status.relaxed)) return found;
  for (const [name, record] of Object.entries(status.relaxed)) {
    if (isObject(record) && "from" in record && "to" in record) found.set(name, { from: record.from, to: record.to });
  }
  return found;
}
