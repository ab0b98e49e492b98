import type { V1Container, V1EnvVar, V1Pod } from "@kubernetes/client-node";
import { API_CLUSTER_IP } from "../network.ts";
import { type Image, Unsupported } from "./image.ts";

const USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A container's environment, which is all it has: nothing of this process's. */
export function environmentOf(pod: V1Pod, container: V1Container, image: Image, podIP: string): Record<string, string> {
  if (container.envFrom?.length) throw new Unsupported("envFrom");
  const own = (container.env ?? []).map((variable) => [variable.name, textOf(variable, pod, podIP)]);
  return {
    PATH: `${image.path}:${USUAL_PATH}`,
    HOME: "/",
    HOSTNAME: pod.metadata?.name ?? "",
    KUBERNETES_SERVICE_HOST: API_CLUSTER_IP,
    KUBERNETES_SERVICE_PORT: "443",
    KUBERNETES_SERVICE_PORT_HTTPS: "443",
    ...Object.fromEntries(own),
  };
}

function textOf({ name, value = "", valueFrom }: V1EnvVar, pod: V1Pod, podIP: string): string {
  if (!valueFrom) return value;
  const path = valueFrom.fieldRef?.fieldPath;
  if (path === undefined) throw new Unsupported(`the source of the variable ${name}`);
  return fieldOf(pod, path, podIP);
}

/** The downward API: a field of the pod, as text. */
export function fieldOf(pod: V1Pod, path: string, podIP: string): string {
  const fields: Readonly<Record<string, string | undefined>> = {
    "metadata.name": pod.metadata?.name,
    "metadata.namespace": pod.metadata?.namespace,
    "metadata.uid": pod.metadata?.uid,
    "spec.nodeName": pod.spec?.nodeName,
    "spec.serviceAccountName": pod.spec?.serviceAccountName,
    "status.podIP": podIP,
  };
  const value = fields[path];
  if (value === undefined) throw new Unsupported(`the field ${path}`);
  return value;
}
