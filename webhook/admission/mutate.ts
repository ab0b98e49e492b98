import type { AdmissionSettings } from "../settings/schema.ts";
import { placeInitContainer } from "./init-container.ts";
import { ANNOTATION, INIT_CONTAINER } from "./names.ts";
import { add, type Operation, pointer, writer } from "./patch.ts";
import { place, requestedPlacement } from "./placement.ts";
import { lookUp, type Pod } from "./pod.ts";
import { relaxations } from "./relaxations.ts";
import { findSidecar, sockets } from "./sidecar.ts";
import { recordedRelaxations, type Status } from "./status.ts";

/**
 * The patch that brings a pod into the canonical state; empty where it is there already. It is constructed, not
 * diffed: a patch's size and cost do not grow with the pod.
 */
export function canonicalPatch(pod: Pod, settings: AdmissionSettings, version: string): readonly Operation[] {
  const sidecar = findSidecar(pod, settings);
  const whose = sockets(pod, sidecar, settings);
  const placement = requestedPlacement(pod, settings);
  const relaxed = sidecar ? relaxations(pod, sidecar, recordedRelaxations(pod), settings) : [];
  const status: Status = {
    version,
    injected: [INIT_CONTAINER],
    sockets: whose,
    placement: placement.mode,
    relaxed: Object.fromEntries(relaxed.map(({ name, record }) => [name, record])),
  };

  // The sidecar before the init containers: these may shift its place in their list.
  const sidecarPath = sidecar ? pointer("spec", sidecar.list, sidecar.index) : "";
  const write = writer(sidecar?.container, sidecarPath);
  return [
    ...annotate(pod, ANNOTATION.status, JSON.stringify(status)),
    ...relaxed.filter(({ changes }) => changes).flatMap(({ field, record }) => write(field, record.to)),
    ...placeInitContainer(pod.spec, whose, settings),
    ...place(pod, placement, settings),
  ];
}

function annotate(pod: Pod, key: string, value: string): readonly Operation[] {
  const { metadata } = pod;
  if (lookUp(metadata?.annotations, key) === value) return [];
  if (metadata?.annotations) return [add(pointer("metadata", "annotations", key), value)];
  return metadata
    ? [add(pointer("metadata", "annotations"), { [key]: value })]
    : [add(pointer("metadata"), { annotations: { [key]: value } })];
}
