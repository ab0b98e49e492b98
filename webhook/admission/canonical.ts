import type { AdmissionSettings } from "../settings/schema.ts";
import type { Findings } from "./findings.ts";
import { placeInitContainer } from "./init-container.ts";
import { ANNOTATION, INIT_CONTAINER } from "./names.ts";
import { add, type Operation, pointer, writer } from "./patch.ts";
import { place } from "./placement.ts";
import { lookUp, type Pod } from "./pod.ts";
import { relaxations, unknownRelaxations } from "./relaxations.ts";
import { sockets } from "./sidecar.ts";
import type { Status } from "./status.ts";

/**
 * The patch that brings a pod into the canonical state; empty where it is there already. It is constructed, not
 * diffed: a patch's size and cost do not grow with the pod.
 */
export function canonicalPatch(found: Findings, settings: AdmissionSettings, version: string): readonly Operation[] {
  const { pod, sidecar, placement, recorded } = found;
  const whose = sockets(pod, sidecar, settings);
  const relaxed = relaxations(found, settings);
  const status: Status = {
    version,
    injected: [INIT_CONTAINER],
    sockets: whose,
    placement: placement.mode,
    // What another version recorded stays: without it, that version would take its own work for the original.
    relaxed: Object.fromEntries([
      ...unknownRelaxations(recorded),
      ...relaxed.map(({ name, record }) => [name, record]),
    ]),
  };

  // The sidecar before the init containers: these may shift its place in their list.
  const sidecarPath = sidecar ? pointer("spec", sidecar.list, sidecar.index) : "";
  const write = writer(sidecar?.container, sidecarPath);
  return [
    ...annotate(pod, JSON.stringify(status)),
    ...relaxed.filter(({ changes }) => changes).flatMap(({ field, record }) => write(field, record.to)),
    ...placeInitContainer(found, whose, settings),
    ...place(pod, placement, settings),
  ];
}

const ANNOTATIONS = pointer("metadata", "annotations");
const STATUS = ANNOTATIONS + pointer(ANNOTATION.status);

function annotate({ metadata }: Pod, status: string): readonly Operation[] {
  if (lookUp(metadata?.annotations, ANNOTATION.status) === status) return [];
  if (metadata?.annotations) return [add(STATUS, status)];
  const annotations = { [ANNOTATION.status]: status };
  return metadata ? [add(ANNOTATIONS, annotations)] : [add(pointer("metadata"), { annotations })];
}
