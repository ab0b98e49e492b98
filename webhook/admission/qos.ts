import type { Container, PodSpec, Quantities, Resources } from "./pod.ts";
import { lookUp } from "./pod.ts";
import { parseQuantity } from "./quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const COUNTED = ["cpu", "memory"] as const;

/**
 * The class that the kubelet gives a pod with these containers, and with these resources of its own where the pod
 * has some. Source: k8s.io/kubernetes/pkg/apis/core/v1/helper/qos.
 */
export function qosClass(containers: readonly Container[], ofPod?: PodSpec["resources"]): QosClass {
  const members = hasAny(ofPod) ? [{ resources: ofPod }] : containers;
  let guaranteed = true;
  let asked = false;
  const requested = { cpu: 0n, memory: 0n };
  const limited = { cpu: 0n, memory: 0n };
  for (const { resources } of members) {
    for (const name of COUNTED) {
      const limit = nanos(resources?.limits, name);
      // The API server writes a missing request as the limit, before any webhook sees the pod.
      const request =
        resources?.requests && lookUp(resources.requests, name) !== undefined ? nanos(resources.requests, name) : limit;
      if (limit === 0n) guaranteed = false;
      if (limit > 0n || request > 0n) asked = true;
      requested[name] += request;
      limited[name] += limit;
    }
  }
  if (!asked) return "BestEffort";
  const equal = COUNTED.every((name) => requested[name] > 0n && requested[name] === limited[name]);
  return guaranteed && equal ? "Guaranteed" : "Burstable";
}

/** Whether a pod (since Kubernetes 1.34) has resources of its own, which then decide alone. */
export function hasAny(resources: Resources | null | undefined): boolean {
  return COUNTED.some((name) => nanos(resources?.limits, name) > 0n || nanos(resources?.requests, name) > 0n);
}

function nanos(quantities: Quantities | null | undefined, name: string): bigint {
  const written = lookUp(quantities, name);
  return (written === undefined ? undefined : parseQuantity(written)?.nanos) ?? 0n;
}
