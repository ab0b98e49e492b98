import { nanos } from "./quantity.ts";

/**
 * A second reading of the QoS classes, from https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ and KEP-2837
 * (resources of the pod's own), to hold ours against:
 * - Guaranteed: every container has a CPU and a memory limit, and requests equal to them;
 * - BestEffort: no container has a CPU or memory request or limit;
 * - Burstable: all others.
 * A request that is missing is its limit; zero is none. Where the pod has resources of its own, they stand for all.
 */
type List = Readonly<Record<string, string | number>> | null | undefined;

interface Holder {
  readonly resources?: { readonly limits?: List; readonly requests?: List } | null | undefined;
}

export interface PodWithResources {
  readonly spec: Holder & {
    readonly initContainers?: readonly Holder[] | null | undefined;
    readonly containers: readonly Holder[];
  };
}

export function qosOf({ spec }: PodWithResources): "Guaranteed" | "Burstable" | "BestEffort" {
  const holders = spec.resources ? [spec] : [...(spec.initContainers ?? []), ...spec.containers];
  const asked = holders.flatMap(({ resources }) =>
    ["cpu", "memory"].map((name) => {
      const limit = amount(resources?.limits, name);
      return { limit: limit ?? 0n, request: amount(resources?.requests, name) ?? limit ?? 0n };
    }),
  );
  if (asked.every(({ limit, request }) => limit === 0n && request === 0n)) return "BestEffort";
  return asked.every(({ limit, request }) => limit > 0n && limit === request) ? "Guaranteed" : "Burstable";
}

function amount(list: List, name: string): bigint | undefined {
  const written = list && Object.hasOwn(list, name) ? list[name] : undefined;
  return written === undefined ? undefined : nanos(written);
}
