import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { issueCa, issueLeaf } from "../../certs/issue.ts";
import type { System } from "./system.ts";

const SERVER = fileURLToPath(new URL("injector-server.ts", import.meta.url));
const NAMESPACE = "istio-system";
const SERVICE = "istiod";

export interface Registration {
  /** Of the MutatingWebhookConfiguration: the API server calls webhooks in the order of these names. */
  readonly name: string;
  readonly reinvocationPolicy?: "IfNeeded" | "Never";
  /** Namespaces with this label have their pods injected. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
}

export interface Injector {
  /** Has the API server call it. As a webhook it is asked for every pod there; the pod's annotation decides. */
  register(registration: Registration): Promise<void>;
}

/** Starts the stand-in for Istio's injector in a network namespace, behind a Service. It goes with the cluster. */
export async function startInjector({ cluster, kubectl }: System): Promise<Injector> {
  const now = new Date();
  const ca = await issueCa({ now });
  const leaf = await issueLeaf({ ca, now, dnsNames: [`${SERVICE}.${NAMESPACE}.svc`], ipAddresses: [] });
  const folder = join(cluster.folder, "injector");
  await mkdir(folder);
  await writeFile(join(folder, "tls.crt"), leaf.cert);
  await writeFile(join(folder, "tls.key"), leaf.key);
  const host = await cluster.networkHost("injector");
  host.spawn(process.execPath, [SERVER, folder], { stdio: "ignore" });
  await kubectl("apply -f -", [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: SERVICE, namespace: NAMESPACE },
      spec: { ports: [{ name: "https-webhook", port: 443, targetPort: 8443 }] },
    },
  ]);
  await cluster.setEndpoints(NAMESPACE, SERVICE, [host.address], [{ name: "https-webhook", port: 8443 }]);
  return {
    async register({ name, reinvocationPolicy = "Never", namespaceLabels }) {
      await kubectl("apply -f -", {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "MutatingWebhookConfiguration",
        metadata: { name },
        webhooks: [
          {
            name: "namespace.sidecar-injector.istio.io",
            admissionReviewVersions: ["v1"],
            clientConfig: {
              service: { name: SERVICE, namespace: NAMESPACE, path: "/inject", port: 443 },
              caBundle: Buffer.from(ca.cert).toString("base64"),
            },
            rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
            namespaceSelector: { matchLabels: namespaceLabels },
            failurePolicy: "Fail",
            reinvocationPolicy,
            sideEffects: "None",
          },
        ],
      });
    },
  };
}
