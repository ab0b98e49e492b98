import type { Container, PodSpec, Quantities } from "./pod.ts";
import { lookUp } from "./pod.ts";
import { parseQuantity } from "./quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const COUNTED = ["cpu", "memory"] as const;

/**
 * The class that the kubelet gives a pod with these containers. Resources of the pod's own (since Kubernetes 1.34)
 * decide alone, be they empty. Source: k8s.io/kubernetes/pkg/apis/core/v1/helper/qos.
 */
export function qosClass(containers: readonly Container[], ofPod?: PodSpec["resources"]): QosClass {
  const members = ofPod ? [{ resources: ofPod }] : containers;
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

/** Only what is above zero counts. */
function nanos(quantities: Quantities | null | undefined, name: string): bigint {
  const written = lookUp(quantities, name);
  const found = (written === undefined ? undefined : parseQuantity(written)?.nanos) ?? 0n;
  return found > 0n ? found : 0n;
}
