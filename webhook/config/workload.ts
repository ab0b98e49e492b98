import { isObject } from "../admission/json.ts";
import { RequestError } from "../errors.ts";
import { short } from "../review/review.ts";

/** An object that makes pods, and the pod that it makes. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** As the API server would get it from the workload's controller, not yet defaulted. */
  readonly pod: unknown;
  /** Where the pod's fields stand in the object: empty for a pod. */
  readonly path: string;
}

/** Where each kind keeps its pod template. */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ["Pod", []],
  ["PodTemplate", ["template"]],
  ["ReplicationController", ["spec", "template"]],
  ["ReplicaSet", ["spec", "template"]],
  ["Deployment", ["spec", "template"]],
  ["DeploymentConfig", ["spec", "template"]],
  ["StatefulSet", ["spec", "template"]],
  ["DaemonSet", ["spec", "template"]],
  ["Job", ["spec", "template"]],
  ["CronJob", ["spec", "jobTemplate", "spec", "template"]],
]);

/** The object as a workload; undefined where its kind makes no pods. */
export function readWorkload(object: unknown, defaultNamespace: string): Workload | undefined {
  if (!isObject(object)) throw new RequestError("InvalidObject", `${short(object)} stands where an object belongs`);
  const { kind } = object;
  if (typeof kind !== "string") throw new RequestError("InvalidObject", `kind is ${short(kind)}, not a text`);
  const path = TEMPLATES.get(kind);
  if (!path) return undefined;
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const name = text(metadata.name) || text(metadata.generateName);
  const namespace = text(metadata.namespace) || defaultNamespace;
  if (path.length === 0) return { kind, name, namespace, pod: object, path: "" };

  let template: unknown = object;
  for (const part of path) template = isObject(template) ? template[part] : undefined;
  if (!isObject(template)) {
    throw new RequestError("InvalidObject", `${kind} ${name}: ${path.join(".")} is ${short(template)}, not an object`);
  }
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...(isObject(template.metadata) && template.metadata), generateName: `${name}-` },
    spec: template.spec,
  };
  return { kind, name, namespace, pod, path: path.join(".") };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
