import type { AdmissionSettings } from "../settings/schema.ts";
import type { Container, Pod } from "./pod.ts";

/** The mesh's sidecar and where it stands. */
export interface Sidecar {
  readonly container: Container;
  readonly list: "initContainers" | "containers";
  readonly index: number;
}

/** A native sidecar is an init container, a regular one is not: look in both lists. */
export function findSidecar(pod: Pod, settings: AdmissionSettings): Sidecar | undefined {
  for (const list of ["initContainers", "containers"] as const) {
    const containers = pod.spec[list] ?? [];
    const index = containers.findIndex(({ name }) => name === settings.sidecar.containerName);
    const container = containers[index];
    if (container) return { container, list, index };
  }
  return undefined;
}

/** Whose sockets become SMC: the sidecar's, by the uid that it really runs as, or everyone's where there is none. */
export function sockets(pod: Pod, sidecar: Sidecar | undefined, settings: AdmissionSettings): string {
  if (!sidecar) return "all";
  const uid =
    sidecar.container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser ?? settings.sidecar.defaultUid;
  return `uid:${uid}`;
}
