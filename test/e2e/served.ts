import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { certificatesIn } from "../../certs/bundle.ts";
import { issueLeaf } from "../../certs/issue.ts";
import { DEFAULTS } from "../../webhook/settings/load.ts";
import { CONFIGURATION } from "./shop.ts";
import { SYSTEM, type System } from "./system.ts";

export const SECRET = `/api/v1/namespaces/${SYSTEM}/secrets/smc-webhook-tls`;

export type SecretTexts = Readonly<Record<"ca.crt" | "ca.key" | "tls.crt" | "tls.key", string>>;

export async function readSecret({ cluster: { api } }: System): Promise<SecretTexts> {
  const { data } = (await api.expect("GET", SECRET)).json;
  const text = (key: string) => Buffer.from(data[key] ?? "", "base64").toString();
  return { "ca.crt": text("ca.crt"), "ca.key": text("ca.key"), "tls.crt": text("tls.crt"), "tls.key": text("tls.key") };
}

/** Writes some of the Secret's keys, and leaves the others as they are. */
export async function writeSecret({ cluster: { api } }: System, texts: Partial<SecretTexts>): Promise<void> {
  const encoded = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  await api.expect("PATCH", SECRET, { data: Object.fromEntries(encoded) }, "merge");
}

/** A leaf of the Secret's newest CA, good for so many days; an hour of its life is over. */
export async function issueFrom(texts: SecretTexts, days: number) {
  const ca = { cert: certificatesIn(texts["ca.crt"])[0] ?? "", key: texts["ca.key"] };
  const { dnsNames, ipAddresses } = DEFAULTS.certificates;
  return await issueLeaf({ ca, now: new Date(), days, dnsNames, ipAddresses });
}

/** Of the first certificate of a text in PEM. */
export const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;

/** The CAs that the API server trusts to speak for the webhook, in PEM. */
export async function trustedRoots({ cluster: { api } }: System): Promise<readonly string[]> {
  const { json } = await api.expect("GET", CONFIGURATION);
  return certificatesIn(Buffer.from(json.webhooks[0].clientConfig.caBundle ?? "", "base64").toString());
}

/** What each replica serves, the same one only once. */
export async function servedCertificates({ cluster }: System): Promise<readonly string[]> {
  const served = await Promise.all(cluster.runningPods(SYSTEM).map(({ host }) => servedBy(host.address)));
  return [...new Set(served.map((certificate) => certificate?.fingerprint256 ?? "none"))];
}

async function servedBy(host: string): Promise<X509Certificate | undefined> {
  const socket = connect({ host, port: 8443, rejectUnauthorized: false, servername: "smc-webhook.smc-system.svc" });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  return certificate;
}
