import type { MeshState } from "../mesh/view.ts";
import type { AdmissionSettings } from "../settings/schema.ts";
import { ANNOTATION, INIT_CONTAINER, LABEL } from "./names.ts";
import { boundNode, nodeDemand } from "./node-selector.ts";
import { requestedPlacement } from "./placement.ts";
import { lookUp, type Pod, type StringMap } from "./pod.ts";
import { type LeaveCode, type Seen, shown } from "./reasons.ts";

/** All that a decision depends on. */
export interface Question {
  readonly pod: Pod;
  /** Of the request: a controller's pod does not name it. */
  readonly namespace: string;
  /** Undefined until the mesh has been read once. */
  readonly mesh: MeshState | undefined;
  readonly settings: AdmissionSettings;
}

export type Decision =
  | { readonly outcome: "inject"; readonly reason: "Injected" }
  | { readonly outcome: "leave"; readonly reason: LeaveCode; readonly seen: Seen };

/** The decision table: the first end that holds counts. */
export function decide(question: Question): Decision {
  for (const end of [request, mesh, kind, podSecurity, nodes]) {
    const decision = end(question);
    if (decision) return decision;
  }
  return { outcome: "inject", reason: "Injected" };
}

const leave = (reason: LeaveCode, seen: Seen = {}): Decision => ({ outcome: "leave", reason, seen });

function request({ pod }: Question): Decision | undefined {
  const value = lookUp(pod.metadata?.annotations, ANNOTATION.enabled);
  if (value === "true") return undefined;
  if (value === undefined) return leave("NotRequested");
  return value === "false" ? leave("OptedOut") : leave("InvalidAnnotation", { value: shown(value) });
}

function mesh({ mesh, namespace }: Question): Decision | undefined {
  if (!mesh) return leave("MeshUnknown");
  if (mesh.namespaces.get(namespace)?.get(LABEL.injection) !== "enabled") {
    return leave("NamespaceNotEnabled", { namespace });
  }
  return mesh.meshSwitch.enabled ? undefined : leave("MeshDisabled");
}

/** Pods that cannot have the container, whatever the mesh says. */
function kind({ pod }: Question): Decision | undefined {
  const { spec, metadata } = pod;
  if (spec.hostNetwork) return leave("HostNetwork");
  const system = spec.os?.name ?? lookUp(spec.nodeSelector, "kubernetes.io/os");
  if (system === "windows") return leave("WindowsPod");
  if (lookUp(metadata?.annotations, "kubernetes.io/config.mirror") !== undefined) return leave("MirrorPod");
  // The API server would refuse a pod with two containers of one name, one of them ours.
  if (spec.containers.some(({ name }) => name === INIT_CONTAINER)) return leave("NameTaken");
  return hasRoomForStatus(metadata?.annotations ?? {}) ? undefined : leave("AnnotationsFull");
}

/** Bytes: what Kubernetes takes of annotations in all, and more than any status needs, records that it carries on too. */
const MAX_ANNOTATIONS = 256 * 1024;
const STATUS_ROOM = 12 * 1024;

function hasRoomForStatus(annotations: StringMap): boolean {
  let bytes = STATUS_ROOM;
  for (const [key, value] of Object.entries(annotations)) {
    // Ours is written anew.
    if (key !== ANNOTATION.status) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return bytes <= MAX_ANNOTATIONS;
}

/** Pod Security Admission takes a level that it does not know for `restricted`. */
function podSecurity({ mesh, namespace, settings }: Question): Decision | undefined {
  if (settings.podSecurity.exemptNamespaces.includes(namespace)) return undefined;
  const level = mesh?.namespaces.get(namespace)?.get(LABEL.podSecurityEnforce) ?? settings.podSecurity.default;
  return level === "privileged" ? undefined : leave("PodSecurity", { namespace, level: shown(level) });
}

/** Characters; a longer name is no node's, and nothing to repeat in an audit log. */
const MAX_NODE_NAME = 253;

function nodes({ pod, mesh, settings }: Question): Decision | undefined {
  const node = boundNode(pod.spec);
  if (node !== undefined && !mesh?.eligible.has(node)) {
    const why = mesh?.nodes.get(node)?.reason || "no labeler has judged it";
    return leave("NodeNotEligible", { node: node.length <= MAX_NODE_NAME ? node : shown(node), why });
  }
  // The scheduler does not see a pod that names its node, so its selectors do not choose one.
  if (pod.spec.nodeName || requestedPlacement(pod, settings).mode === "ignore") return undefined;
  return mesh?.eligible.someSuits(nodeDemand(pod.spec)) ? undefined : leave("NoEligibleNode");
}
