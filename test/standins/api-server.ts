import { randomBytes, randomUUID } from "node:crypto";
import { request } from "node:https";
import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import jsonPatch from "fast-json-patch";

/**
 * A stand-in for the API server and the ReplicaSet controller, as far as admission goes: it makes a Deployment's pod,
 * sends the AdmissionReview that a real API server sends, and applies the patch that comes back.
 */
export interface ApiServer {
  readonly url: string;
  /** PEM: the CA bundle that the webhook's certificate must chain to. */
  readonly ca: string;
}

export interface Admitted {
  readonly pod: V1Pod;
  readonly reason: string;
  readonly message: string;
  readonly warnings: readonly string[];
  readonly operations: readonly jsonPatch.Operation[];
}

/** The pod that the ReplicaSet controller makes: a generated name, no namespace. */
export function podOf(deployment: V1Deployment): V1Pod {
  const hash = randomBytes(5).toString("hex");
  const name = deployment.metadata?.name ?? "";
  const { metadata, spec } = structuredClone(deployment.spec?.template ?? {});
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata,
      generateName: `${name}-${hash}-`,
      labels: { ...metadata?.labels, "pod-template-hash": hash },
    },
    ...(spec && { spec }),
  };
}

export async function admit(server: ApiServer, pod: V1Pod, namespace: string): Promise<Admitted> {
  const uid = randomUUID();
  const kind = { group: "", version: "v1", kind: "Pod" };
  const resource = { group: "", version: "v1", resource: "pods" };
  const review = {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid,
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      namespace,
      operation: "CREATE",
      userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller" },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  };
  const { response } = JSON.parse(await post(server, "/mutate?timeout=5s", JSON.stringify(review)));
  if (response?.uid !== uid || response.allowed !== true) {
    throw new Error(`not an answer to ${uid}: ${JSON.stringify(response)}`);
  }
  const operations: jsonPatch.Operation[] = response.patch
    ? JSON.parse(Buffer.from(response.patch, "base64").toString("utf8"))
    : [];
  return {
    pod: jsonPatch.applyPatch(pod, operations, true, false).newDocument,
    reason: response.auditAnnotations.reason,
    message: response.auditAnnotations.message,
    warnings: response.warnings ?? [],
    operations,
  };
}

function post({ url, ca }: ApiServer, path: string, body: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const sent = request(new URL(path, url), { method: "POST", ca, headers }, (answer) => {
    const parts: Buffer[] = [];
    answer.on("data", (part: Buffer) => parts.push(part));
    answer.on("end", () => {
      const text = Buffer.concat(parts).toString("utf8");
      if (answer.statusCode === 200) resolve(text);
      else reject(new Error(`${path} answered ${answer.statusCode}: ${text}`));
    });
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}
