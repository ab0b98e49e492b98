import { X509Certificate } from "node:crypto";
import { certificatesIn } from "../../../certs/bundle.ts";
import type { FakeApiServer } from "./fake-api-server.ts";
import { publishedBundle, type Replica } from "./scene.ts";

/**
 * Watches the one thing that matters to an API server: whatever changes, a replica that serves can be verified with
 * the published bundle, at the API server's time. Gathers each moment at which it cannot.
 */
export function watchTrust(
  cluster: FakeApiServer,
  replicas: readonly Replica[],
): { readonly broken: readonly string[] } {
  const broken: string[] = [];
  const look = (what: string) => {
    for (const [index, { certificate }] of replicas.entries()) {
      const leaf = new X509Certificate(certificate.pair.cert);
      if (isValid(leaf, cluster.now()) && isTrusted(leaf, publishedBundle(cluster), cluster.now())) continue;
      broken.push(`${cluster.now().toISOString()} replica ${index} after ${what}`);
    }
  };
  cluster.configurations.on("event", () => look("a change of the configuration"));
  cluster.secrets.on("event", () => look("a change of the Secret"));
  for (const { certificate } of replicas) {
    certificate.onChange(() => setImmediate(() => look("a swap")));
  }
  look("the start");
  return { broken };
}

const isValid = (certificate: X509Certificate, now: Date) =>
  certificate.validFromDate <= now && now < certificate.validToDate;

export const isTrusted = (leaf: X509Certificate, bundle: string, now: Date): boolean =>
  certificatesIn(bundle)
    .map((root) => new X509Certificate(root))
    .some((root) => isValid(root, now) && leaf.checkIssued(root) && leaf.verify(root.publicKey));
