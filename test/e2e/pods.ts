import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { admit } from "../../webhook/admission/admit.ts";
import { ANNOTATION, LABEL } from "../../webhook/admission/names.ts";
import { readPod } from "../../webhook/review/pod-schema.ts";
import { type PodWithResources, qosOf } from "../admission/model/qos.ts";
import { mesh, named, order, settings } from "../admission/scene.ts";
import type { AuditEvent } from "../cluster/audit.ts";
import type { System } from "./system.ts";

type Labels = Readonly<Record<string, string>>;

export const ASKS: Labels = { [ANNOTATION.enabled]: "true" };
export const OPTED_IN: Labels = { [LABEL.injection]: "enabled" };

/** Makes namespaces, and waits until pods can be made there. They have opted in, unless their labels say otherwise. */
export async function addNamespaces(system: System, namespaces: Readonly<Record<string, Labels>>): Promise<void> {
  const objects = Object.entries(namespaces).map(([name, labels]) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { ...OPTED_IN, ...labels } },
  }));
  await system.kubectl("apply -f -", objects);
  for (const name of Object.keys(namespaces)) {
    await system.kubectl(`wait --for=create serviceaccount/default -n ${name} --timeout=20s`);
  }
}

/** Labels a node as the labeler does. */
export async function judgeNode(system: System, name: string, reason: string): Promise<void> {
  const eligible = reason === "Eligible";
  const method = `${LABEL.method}${eligible ? "=bpf" : "-"}`;
  const labels = `${LABEL.eligible}=${eligible} ${LABEL.reason}=${reason} ${method}`;
  await system.kubectl(`label node ${name} --overwrite ${labels}`);
}

/** Waits until an annotated pod would be injected: the webhook is reached, and knows of an eligible node. */
export async function untilInjecting(system: System, namespace: string): Promise<void> {
  const isInjected = async () => {
    const { pod: shown } = await create(system, namespace, pod("trial"), "--dry-run=server");
    expect(order(shown)).toContain("smc-init");
  };
  await vi.waitFor(isInjected, { timeout: 30_000, interval: 200 });
}

/** A pod that asks for SMC, unless its annotations say otherwise. */
export function pod(name: string, spec: object = {}, annotations: Labels = ASKS) {
  const containers = [{ name: "app", image: "registry.example/app:1" }];
  return { apiVersion: "v1", kind: "Pod", metadata: { name, annotations }, spec: { containers, ...spec } };
}

export interface Created {
  readonly pod: V1Pod;
  /** As kubectl prints them. */
  readonly warnings: readonly string[];
}

/** Creates a pod by kubectl, as a person does. */
export async function create(system: System, namespace: string, object: object, flags = ""): Promise<Created> {
  const command = `create -n ${namespace} -o json ${flags} -f -`.replace("  ", " ");
  const { stdout, stderr } = await system.kubectl(command, object);
  const warnings = [...stderr.matchAll(/^Warning: (.*)$/gm)].map(([, text = ""]) => text);
  return { pod: JSON.parse(stdout), warnings };
}

export async function podsOf(system: System, namespace: string, selector = ""): Promise<readonly V1Pod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
  return (await system.cluster.api.expect("GET", path)).json.items;
}

/** Waits until pods with a label are there, as many as expected, and none of them is pending. */
export async function startedPods(system: System, namespace: string, selector: string, count = 1) {
  const phases = async () => (await podsOf(system, namespace, selector)).map(({ status }) => status?.phase ?? "");
  const started = expect.poll(phases, { timeout: 30_000, interval: 100 });
  await started.toEqual(Array(count).fill(expect.stringMatching(/Running|Succeeded/)));
  return await podsOf(system, namespace, selector);
}

const WEBHOOK_NAME = "pods.smc.asm.alibabacloud.com";

/** What the webhook wrote into the audit log about a pod's creation, by its own keys. Empty: it was not called. */
export async function auditedAnnotations(system: System, { metadata }: V1Pod): Promise<Labels> {
  const { annotations = {} } = await creationOf(system, metadata?.name ?? "", metadata?.namespace);
  const ours = Object.entries(annotations).filter(([key]) => key.startsWith(`${WEBHOOK_NAME}/`));
  return Object.fromEntries(ours.map(([key, value]) => [key.slice(WEBHOOK_NAME.length + 1), value]));
}

export async function auditedReason(system: System, pod: V1Pod): Promise<string | undefined> {
  return (await auditedAnnotations(system, pod)).reason;
}

/** The event of a pod's creation in the audit log, dry runs aside. */
export async function creationOf(system: System, name: string, namespace?: string): Promise<AuditEvent> {
  const isIt = ({ verb, requestURI, objectRef, responseObject }: AuditEvent) =>
    verb === "create" &&
    objectRef?.resource === "pods" &&
    !objectRef.subresource &&
    !requestURI.includes("dryRun") &&
    (namespace === undefined || objectRef.namespace === namespace) &&
    responseObject !== undefined &&
    "metadata" in responseObject &&
    responseObject.metadata !== undefined &&
    "name" in responseObject.metadata &&
    responseObject.metadata.name === name;
  const [event] = await system.cluster.auditEvents(isIt);
  if (!event) throw new Error(`the audit log does not have the creation of pod ${name}`);
  return event;
}

/** What must hold of an injected pod, however it came about. */
export function expectInjected(pod: V1Pod, whose: { readonly initContainers: readonly string[]; sockets: string }) {
  expect(order(pod)).toEqual(whose.initContainers);
  const env = Object.fromEntries((smcInit(pod).env ?? []).map(({ name, value }) => [name, value]));
  expect(env.SMC_SOCKETS).toBe(whose.sockets);
  const status = statusOf(pod);
  expect(status).toMatchObject({ injected: ["smc-init"], sockets: whose.sockets });
  expect(pod.status?.qosClass, "as Kubernetes' own rule has it").toBe(qosOf(pod as PodWithResources));
  const reading = readPod(pod);
  if (!reading.ok) throw new Error(`${reading.where} ${reading.fault}`);
  const eligible = { [pod.spec?.nodeName ?? "any"]: pod.spec?.nodeSelector ?? {} };
  const question = { pod: reading.pod, namespace: "default", mesh: mesh({ eligible }), settings: settings() };
  expect(admit(question, status.version).patch, "asked once more, the webhook changes nothing").toEqual([]);
}

/** What must hold of a pod that was left alone. */
export function expectPlain(pod: V1Pod): void {
  expect(order(pod)).not.toContain("smc-init");
  expect(pod.metadata?.annotations ?? {}).not.toHaveProperty([ANNOTATION.status]);
  expect(pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution).toBeUndefined();
}

export const smcInit = (pod: V1Pod): V1Container => named(pod, "smc-init");

export function statusOf(pod: V1Pod) {
  return JSON.parse(pod.metadata?.annotations?.[ANNOTATION.status] ?? "null");
}

/**
 * Everything that kept a pod from being made, or the API server from asking a webhook, in the cluster's whole life, dry
 * runs aside.
 */
export async function mishaps(system: System): Promise<readonly string[]> {
  const creations = await system.cluster.auditEvents(
    ({ verb, requestURI, objectRef }) =>
      verb === "create" && objectRef?.resource === "pods" && !objectRef.subresource && !requestURI.includes("dryRun"),
  );
  return creations.flatMap(({ responseStatus, annotations = {}, objectRef }) => {
    const refused = (responseStatus?.code ?? 0) >= 400 ? [`${objectRef?.namespace}: ${responseStatus?.message}`] : [];
    const failedOpen = Object.keys(annotations).filter((key) => key.startsWith("failed-open."));
    return [...refused, ...failedOpen];
  });
}
