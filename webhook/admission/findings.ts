import type { AdmissionSettings } from "../settings/schema.ts";
import { type RequestedPlacement, requestedPlacement } from "./placement.ts";
import { type Container, otherContainers, type Pod } from "./pod.ts";
import { type QosClass, qosClass } from "./qos.ts";
import { findSidecar, type Sidecar } from "./sidecar.ts";
import { type Relaxed, recordedRelaxations } from "./status.ts";

/** What is looked up in a pod that is to be injected, once for all that follows from it. */
export interface Findings {
  readonly pod: Pod;
  readonly sidecar: Sidecar | undefined;
  readonly placement: RequestedPlacement;
  /** What earlier rounds say that they relaxed. */
  readonly recorded: ReadonlyMap<string, Relaxed>;
  /** Every container but ours. */
  readonly others: readonly Container[];
  /** The pod's class as it is, less our container. */
  readonly qos: QosClass;
}

export function findings(pod: Pod, settings: AdmissionSettings): Findings {
  const others = otherContainers(pod.spec);
  return {
    pod,
    sidecar: findSidecar(pod, settings),
    placement: requestedPlacement(pod, settings),
    recorded: recordedRelaxations(pod),
    others,
    qos: qosClass(others, pod.spec.resources),
  };
}
