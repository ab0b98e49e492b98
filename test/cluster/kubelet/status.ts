import type { V1ContainerStatus, V1Pod, V1PodStatus } from "@kubernetes/client-node";
import type { RunningContainer } from "./container.ts";

export interface Situation {
  readonly pod: V1Pod;
  /** Empty until they can be started. */
  readonly containers: readonly RunningContainer[];
  readonly podIP: string;
  readonly startTime: Date;
  /** Why they cannot be started. */
  readonly fault: string | undefined;
}

/** What a kubelet tells the API about a pod. Conditions carry no times of their own, so equal ones look equal. */
export function statusOf({ pod, containers, podIP, startTime, fault }: Situation): V1PodStatus {
  const statuses = containers.length > 0 ? containers.map(({ status }) => status) : waiting(pod, fault);
  const ready = containers.length > 0 && statuses.every((status) => status.ready);
  const readiness = ready ? { status: "True" } : { status: "False", reason: "ContainersNotReady" };
  return {
    phase: containers.length > 0 ? "Running" : "Pending",
    startTime,
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [
      { type: "Initialized", status: "True" },
      { type: "Ready", ...readiness },
      { type: "ContainersReady", ...readiness },
    ],
    containerStatuses: statuses,
  };
}

function waiting({ spec }: V1Pod, fault: string | undefined): V1ContainerStatus[] {
  return (spec?.containers ?? []).map(({ name, image = "" }) => ({
    name,
    image,
    imageID: "",
    ready: false,
    restartCount: 0,
    state: { waiting: { reason: "ContainerCreating", ...(fault !== undefined && { message: fault }) } },
  }));
}
