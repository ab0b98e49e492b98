import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { parse } from "yaml";
import { openSecretCertificate, type SecretCertificateOptions } from "../../../certs/cluster/serve.ts";
import type { ServingCertificate } from "../../../certs/serve.ts";
import { openClusterClient } from "../../../webhook/cluster/client.ts";
import { NAMES, newFolder, recordingLog } from "../scene.ts";
import { type FakeApiServer, startFakeApiServer } from "./fake-api-server.ts";

const MANIFEST = fileURLToPath(new URL("../../../manifests/base/webhook-configuration.yaml", import.meta.url));
export const CONFIGURATION = parse(readFileSync(MANIFEST, "utf8"));
export const SECRET = "smc-webhook-tls";
export const POLL_MS = 60;

/** A fake API server with the MutatingWebhookConfiguration of manifests/base. */
export async function startCluster(): Promise<FakeApiServer> {
  const fake = await startFakeApiServer();
  fake.configurations.create(structuredClone(CONFIGURATION));
  return fake;
}

export interface Replica {
  readonly certificate: ServingCertificate;
  readonly lines: readonly string[];
  warnings(): readonly string[];
}

/** A replica of the service as far as certificates go, with the real client. Closed when the test ends. */
export async function startReplica(
  { url }: Pick<FakeApiServer, "url">,
  options: Partial<SecretCertificateOptions> & { readonly user?: string } = {},
): Promise<Replica> {
  const { log, lines } = recordingLog();
  const certificate = await openSecretCertificate({
    client: await openClusterClient({ kubeconfig: await kubeconfigFile(url, options.user ?? "replica") }),
    namespace: "smc-system",
    secret: SECRET,
    webhookConfiguration: "smc-webhook",
    issue: true,
    log,
    pollMs: POLL_MS,
    ...NAMES,
    ...options,
  });
  onTestFinished(() => certificate.close());
  return { certificate, lines, warnings: () => lines.filter((line) => /^(warn|error)/.test(line)) };
}

/** A kubeconfig for the fake, which takes any token for a user's name. */
export async function kubeconfigFile(server: string, token: string): Promise<string> {
  const file = join(await newFolder(), "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "fake",
    contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
    clusters: [{ name: "fake", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "fake", user: { token } }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** What a key of the Secret holds. */
export function secretText({ secrets }: FakeApiServer, key: string): string {
  const data: Record<string, string> = Object(secrets.find(SECRET)?.data);
  return Buffer.from(data[key] ?? "", "base64").toString();
}

/** Writes keys of the Secret as a person would with kubectl. */
export function spoil({ secrets }: FakeApiServer, texts: Readonly<Record<string, string>>): void {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
  );
  secrets.merge(SECRET, { data });
}

/** The bundle that the API server trusts. */
export function publishedBundle({ configurations }: FakeApiServer): string {
  const [webhook]: readonly { clientConfig: { caBundle?: string } }[] = Object(
    configurations.get("smc-webhook").webhooks,
  );
  return Buffer.from(webhook?.clientConfig.caBundle ?? "", "base64").toString();
}

export const count = (bundle: string) => bundle.split("BEGIN CERTIFICATE").length - 1;
