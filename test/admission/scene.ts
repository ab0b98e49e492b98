import type { V1Container, V1Pod } from "@kubernetes/client-node";
import jsonPatch from "fast-json-patch";
import { type Admission, admit } from "../../webhook/admission/admit.ts";
import { eligibleNodes } from "../../webhook/admission/eligible-nodes.ts";
import { ANNOTATION, LABEL } from "../../webhook/admission/names.ts";
import type { MeshState, NodeVerdict } from "../../webhook/mesh/view.ts";
import { readPod } from "../../webhook/review/pod-schema.ts";
import { DEFAULTS } from "../../webhook/settings/load.ts";
import type { AdmissionSettings } from "../../webhook/settings/schema.ts";

export const VERSION = "0.0.0-test";

type LabelMap = Readonly<Record<string, string>>;

export interface MeshParts {
  readonly enabled?: boolean;
  /** Labels by the eligible node's name, besides the one that says that it is. */
  readonly eligible?: Readonly<Record<string, LabelMap>>;
  /** Reason by the name of a node that is not eligible. */
  readonly notEligible?: LabelMap;
  /** Labels by namespace, in place of an opted-in `default`. */
  readonly namespaces?: Readonly<Record<string, LabelMap>>;
}

/** A mesh that is on, with one eligible node and an opted-in namespace `default`, unless told otherwise. */
export function mesh(parts: MeshParts = {}): MeshState {
  const { enabled = true, eligible = { "rdma-a": {} }, notEligible = {} } = parts;
  const namespaces = parts.namespaces ?? { default: { [LABEL.injection]: "enabled" } };
  const verdicts: NodeVerdict[] = [
    ...Object.keys(eligible).map((name) => ({ name, eligible: true, reason: "Eligible", method: "bpf" })),
    ...Object.entries(notEligible).map(([name, reason]) => ({ name, eligible: false, reason })),
  ];
  return {
    meshSwitch: { enabled },
    nodes: new Map(verdicts.map((verdict) => [verdict.name, verdict])),
    eligible: eligibleNodes(
      Object.entries(eligible).map(([name, labels]) => ({
        name,
        labels: new Map([...Object.entries(labels), [LABEL.eligible, "true"]]),
      })),
    ),
    namespaces: new Map(Object.entries(namespaces).map(([name, labels]) => [name, new Map(Object.entries(labels))])),
  };
}

/** The settings by default, with some groups' fields changed. */
export function settings(
  changes: { readonly [G in keyof AdmissionSettings]?: Partial<AdmissionSettings[G]> } = {},
): AdmissionSettings {
  const all: Record<string, unknown> = { ...DEFAULTS };
  for (const [group, fields] of Object.entries(changes)) {
    const before = all[group];
    all[group] = Array.isArray(fields) ? fields : { ...(typeof before === "object" ? before : {}), ...fields };
  }
  return all as unknown as AdmissionSettings;
}

export interface Asked {
  readonly namespace?: string;
  readonly mesh?: MeshState | undefined;
  readonly settings?: AdmissionSettings;
}

/** Asks about an object that must be a well-formed pod. */
export function ask(object: unknown, asked: Asked = {}): Admission {
  const reading = readPod(object);
  if (!reading.ok) throw new Error(`not a pod: ${reading.where} ${reading.fault}`);
  const state = "mesh" in asked ? asked.mesh : mesh();
  return admit(
    { pod: reading.pod, namespace: asked.namespace ?? "default", mesh: state, settings: asked.settings ?? settings() },
    VERSION,
  );
}

/** The object with the patch applied as RFC 6902 says, checked on the way; the object itself stays as it is. */
export function patched<T>(object: T, admission: Admission): T {
  const operations: jsonPatch.Operation[] = JSON.parse(JSON.stringify(admission.patch));
  return jsonPatch.applyPatch(object, operations, true, false).newDocument;
}

/** A pod as a ReplicaSet makes it, with one container, that asks for SMC unless told otherwise. */
export function pod(spec: object = {}, annotations: Readonly<Record<string, string>> = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { generateName: "web-5d8f-", annotations: { [ANNOTATION.enabled]: "true", ...annotations } },
    spec: { containers: [container("app")], ...spec },
  };
}

export function container(name: string, fields: object = {}): Readonly<Record<string, unknown>> {
  return { name, image: `registry.example/${name}:1`, ...fields };
}

/** A sidecar as Istio's injector makes it, a native one unless told otherwise. */
export function sidecar(fields: object = { restartPolicy: "Always" }): Readonly<Record<string, unknown>> {
  return container("istio-proxy", {
    resources: { limits: { cpu: "2", memory: "1Gi" }, requests: { cpu: "100m", memory: "128Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
      runAsGroup: 1337,
      runAsUser: 1337,
    },
    ...fields,
  });
}

/** The pod that becomes of an object that must be injected. */
export function injected(object: unknown, asked: Asked = {}): V1Pod {
  const admission = ask(object, asked);
  if (admission.decision.outcome !== "inject") throw new Error(`${admission.decision.reason}: ${admission.message}`);
  return patched(object, admission) as V1Pod;
}

/** The names of a pod's init containers, in their order. */
export function order(object: V1Pod): readonly string[] {
  return (object.spec?.initContainers ?? []).map(({ name }) => name);
}

/** A container of either list; it must be there. */
export function named(object: V1Pod, name: string): V1Container {
  const found = [...(object.spec?.initContainers ?? []), ...(object.spec?.containers ?? [])].find(
    (one) => one.name === name,
  );
  if (!found) throw new Error(`no container ${name}`);
  return found;
}
