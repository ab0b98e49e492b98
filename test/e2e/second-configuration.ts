import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { V1MutatingWebhookConfiguration } from "@kubernetes/client-node";
import { stringify } from "yaml";
import type { System } from "./system.ts";
import { WEBHOOK } from "./system.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

type Labels = Readonly<Record<string, string>>;

/** Has the webhook be asked about every pod of other namespaces too: without matchConditions, and without the label. */
export async function alsoSelect(system: System, name: string, namespaceLabels: Labels, elsewhere?: ClientConfig) {
  const { api } = system.cluster;
  const { webhooks = [] }: V1MutatingWebhookConfiguration = (await api.expect("GET", `${PATH}/${WEBHOOK}`)).json;
  const widened = webhooks.map(({ matchConditions, ...webhook }) => ({
    ...webhook,
    namespaceSelector: { matchLabels: namespaceLabels },
    clientConfig: elsewhere ?? webhook.clientConfig,
  }));
  await system.kubectl("apply -f -", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name },
    webhooks: widened,
  });
}

interface ClientConfig {
  readonly service: { readonly name: string; readonly namespace: string; readonly path: string };
  readonly caBundle: string;
}

/**
 * Starts one more replica whose account may not read the mesh, and has it be asked. It is not ready, so behind the
 * webhook's own Service it would not be asked; this one's is told to take it all the same.
 */
export async function startBlindReplica(system: System, namespaceLabels: Labels): Promise<void> {
  const { cluster, kubectl } = system;
  const service = { name: "blind", namespace: "default" };
  const folder = join(cluster.folder, "blind");
  await mkdir(folder);
  const settings = {
    mesh: { source: "kubernetes", kubeconfig: await cluster.kubeconfigOf("default", "default") },
    certificates: { source: "folder", folder: "tls", issue: true, dnsNames: [`${service.name}.default.svc`] },
  };
  await writeFile(join(folder, "settings.yaml"), stringify(settings));
  const host = await cluster.networkHost("blind");
  const args = ["webhook/main.ts", "--settings", join(folder, "settings.yaml")];
  host.spawn(process.execPath, args, { cwd: PROJECT, stdio: "ignore" });
  const spec = { ports: [{ name: "https", port: 443, targetPort: 8443 }] };
  await kubectl("apply -f -", { apiVersion: "v1", kind: "Service", metadata: service, spec });
  await cluster.setEndpoints(service.namespace, service.name, [host.address], [{ name: "https", port: 8443 }]);
  const caBundle = (await untilWritten(join(folder, "tls", "ca.crt"))).toString("base64");
  await alsoSelect(system, "smc-webhook-blind", namespaceLabels, {
    service: { ...service, path: "/mutate" },
    caBundle,
  });
}

async function untilWritten(file: string): Promise<Buffer> {
  for (let tries = 0; tries < 300; tries += 1) {
    const content = await readFile(file).catch(() => undefined);
    if (content && content.length > 0) return content;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${file} has not been written`);
}
