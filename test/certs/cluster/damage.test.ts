import { X509Certificate } from "node:crypto";
import { expect, it } from "vitest";
import { issueCa } from "../../../certs/issue.ts";
import { pause, until } from "../open.ts";
import { DAY, ecKey, plus } from "../scene.ts";
import { allows, RULES } from "./fake-rbac.ts";
import { isTrusted, watchTrust } from "./invariant.ts";
import { count, POLL_MS, publishedBundle, SECRET, secretText, spoil, startCluster, startReplica } from "./scene.ts";
import { madeSecret, seed } from "./seed.ts";

const GARBAGE = { "ca.crt": "garbage", "ca.key": "garbage", "tls.crt": "garbage", "tls.key": "garbage" };

/** Two replicas of a Secret in order, with its bundle published. */
async function healthy() {
  const cluster = await startCluster();
  await seed(cluster);
  const replicas = [await startReplica(cluster, { user: "a" }), await startReplica(cluster, { user: "b" })];
  await until(() => expect(publishedBundle(cluster)).toBe(secretText(cluster, "ca.crt")));
  const before = { leaf: secretText(cluster, "tls.crt"), bundle: publishedBundle(cluster) };
  return { cluster, replicas, before, trust: watchTrust(cluster, replicas) };
}

it.each<[string, Record<string, string>, RegExp]>([
  ["garbage in ca.crt", { "ca.crt": "garbage" }, /restore because what is in force was missing there or spoiled/],
  ["nothing in ca.crt", { "ca.crt": "" }, /restore because what is in force was missing/],
  ["text beside the certificate in ca.crt", { "ca.crt": "# mine\n" }, /restore|clean-bundle/],
  ["garbage in tls.crt", { "tls.crt": "garbage" }, /restore because/],
  ["garbage in tls.key", { "tls.key": "garbage" }, /restore because/],
  ["another certificate's key", { "tls.key": ecKey() }, /restore because/],
])("%s is put back as it was, and nothing else changes", async (_, texts, message) => {
  const { cluster, replicas, before, trust } = await healthy();
  spoil(cluster, texts);
  await until(() => {
    expect(secretText(cluster, "tls.crt")).toBe(before.leaf);
    expect(secretText(cluster, "ca.crt")).toBe(before.bundle);
    expect(secretText(cluster, "tls.key")).toBe(replicas[0]?.certificate.pair.key);
  });
  await until(() => expect(replicas.flatMap(({ lines }) => lines).join("\n")).toMatch(message));
  expect(cluster.secrets.events).toHaveLength(3);
  expect(publishedBundle(cluster)).toBe(before.bundle);
  expect(cluster.secrets.get(SECRET).metadata.labels).toEqual({ "kept-by": "whoever made it" });
  expect(trust.broken).toEqual([]);
});

it.each<[string, Record<string, string> | undefined]>([
  ["a Secret that is deleted", undefined],
  ["garbage in every key", GARBAGE],
  ["garbage in ca.key", { "ca.key": "garbage" }],
  ["another CA's key", { "ca.key": ecKey() }],
])("%s brings a new CA beside the old one, whose leaf serves on", async (_, texts) => {
  const { cluster, before, replicas, trust } = await healthy();
  if (texts) spoil(cluster, texts);
  else cluster.secrets.remove(SECRET);
  await until(() => expect(count(publishedBundle(cluster))).toBe(2));
  expect(publishedBundle(cluster)).toContain(before.bundle.trim());
  expect(publishedBundle(cluster)).toBe(secretText(cluster, "ca.crt"));
  expect(secretText(cluster, "tls.crt")).toBe(before.leaf);
  for (const { certificate } of replicas) expect(certificate.pair.cert).toBe(before.leaf);
  expect(trust.broken).toEqual([]);
});

it("a Secret that is lost while nothing runs is made anew beside the published CA", async () => {
  const cluster = await startCluster();
  const lost = await issueCa({ now: plus(new Date(), -DAY) });
  const webhooks = [
    { name: "pods.smc.asm.alibabacloud.com", clientConfig: { caBundle: Buffer.from(lost.cert).toString("base64") } },
  ];
  cluster.configurations.merge("smc-webhook", { webhooks });
  const { certificate } = await startReplica(cluster);
  await until(() => expect(count(publishedBundle(cluster))).toBe(2));
  expect(publishedBundle(cluster)).toContain(lost.cert.trim());
  expect(isTrusted(new X509Certificate(certificate.pair.cert), publishedBundle(cluster), new Date())).toBe(true);
});

it("another good set of certificates, written by hand, is taken over with its bundle", async () => {
  const { cluster, replicas } = await healthy();
  cluster.secrets.merge(SECRET, { data: await madeSecret() });
  await until(() => {
    for (const { certificate } of replicas) expect(certificate.pair.cert).toBe(secretText(cluster, "tls.crt"));
    expect(publishedBundle(cluster)).toBe(secretText(cluster, "ca.crt"));
  });
  expect(cluster.secrets.events).toHaveLength(2);
});

it("what manifests/base grants is what is asked for", async () => {
  const { cluster } = await healthy();
  cluster.secrets.remove(SECRET);
  await until(() => expect(cluster.secrets.find(SECRET)).toBeDefined());
  spoil(cluster, { "tls.key": "garbage" });
  await until(() => expect(cluster.asked.some(({ verb }) => verb === "update")).toBe(true));
  for (const rule of RULES) {
    for (const verb of rule.verbs) {
      const used = cluster.asked.some((asked) => asked.verb === verb && allows([rule], asked));
      expect(used, `${verb} ${rule.resources}`).toBe(true);
    }
  }
});

it("a Secret without a CA takes nothing away that is published", async () => {
  const { cluster, replicas, before } = await healthy();
  cluster.refuse = ({ verb }) => (verb === "update" ? 403 : undefined);
  spoil(cluster, { "ca.crt": "garbage" });
  await until(() => expect(replicas[0]?.certificate.check().detail).toContain("grant it in RBAC"));
  await pause(2 * POLL_MS);
  expect(publishedBundle(cluster)).toBe(before.bundle);
});

it("no key is ever in a log line or in what readiness says", async () => {
  const { cluster, replicas } = await healthy();
  cluster.refuse = ({ verb }) => (verb === "update" ? 422 : undefined);
  spoil(cluster, { "tls.crt": "garbage" });
  await until(() => expect(replicas[0]?.certificate.check().detail).toContain("422"));
  const said = replicas.flatMap(({ certificate, lines }) => [...lines, certificate.check().detail]).join("\n");
  expect(said).not.toMatch(/PRIVATE KEY|[A-Za-z0-9+/]{65}/);
});
