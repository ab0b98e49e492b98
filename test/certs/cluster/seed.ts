import { advance } from "../../../certs/advance.ts";
import { textsOf } from "../../../certs/cluster/material.ts";
import { type IssuedPair, issueLeaf } from "../../../certs/issue.ts";
import { NAMES } from "../scene.ts";
import type { FakeApiServer } from "./fake-api-server.ts";
import { SECRET } from "./scene.ts";

const encoded = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")]));

/** The data of a Secret in order, with a CA and a leaf of its own. */
export async function madeSecret(now = new Date()): Promise<Record<string, string>> {
  const { material } = await advance({ authorities: [], publishedAt: now }, NAMES, now);
  return encoded(textsOf(material));
}

/** The data of a Secret with the given CAs, newest first, and a leaf of one of them. */
export async function secretOf(authorities: readonly IssuedPair[], signer: IssuedPair, now: Date, names = NAMES) {
  const leaf = { ...(await issueLeaf({ ca: signer, ...names, now })), changedAt: now };
  return encoded(textsOf({ authorities, publishedAt: now, leaf }));
}

/** Made once: keys take a while. */
let usual: Promise<Record<string, string>> | undefined;

/** Puts a Secret in order where there is none. */
export async function seed(cluster: FakeApiServer, data?: Readonly<Record<string, string>>): Promise<void> {
  usual ??= madeSecret();
  cluster.secrets.create({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: SECRET, namespace: "smc-system", labels: { "kept-by": "whoever made it" } },
    type: "kubernetes.io/tls",
    data: data ?? (await usual),
  });
}
