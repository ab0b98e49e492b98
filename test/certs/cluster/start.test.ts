import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ask, serve } from "../https.ts";
import { pause, serialOf, until } from "../open.ts";
import { count, POLL_MS, publishedBundle, SECRET, secretText, startCluster, startReplica } from "./scene.ts";
import { madeSecret, seed } from "./seed.ts";

it("three replicas that start at once end with one CA, and with a leaf that the published bundle verifies", async () => {
  const cluster = await startCluster();
  const replicas = await Promise.all(["a", "b", "c"].map((user) => startReplica(cluster, { user })));
  await until(() => {
    const served = new Set(replicas.map(({ certificate }) => certificate.pair.cert));
    expect([...served]).toEqual([secretText(cluster, "tls.crt")]);
    expect(publishedBundle(cluster)).toBe(secretText(cluster, "ca.crt"));
  });
  expect(count(publishedBundle(cluster))).toBe(1);
  expect(cluster.secrets.events.map(({ type }) => type)).toEqual(["ADDED"]);
  expect(cluster.secrets.get(SECRET)).toMatchObject({ type: "kubernetes.io/tls" });
  for (const { certificate, warnings } of replicas) {
    const port = await serve(certificate);
    expect(await ask({ port, ca: publishedBundle(cluster) })).toBe(serialOf(certificate.pair));
    expect(certificate.check()).toEqual({ ok: true, detail: expect.stringMatching(/^valid until [^;]+$/) });
    expect(certificate.notAfter).toEqual(new X509Certificate(certificate.pair.cert).validToDate);
    expect(warnings()).toEqual([]);
  }
});

describe("an API server that is away", () => {
  it("at the start: a stand-in that nobody trusts is served and readiness says why, until it is back", async () => {
    const cluster = await startCluster();
    await seed(cluster);
    await cluster.goAway();
    const { certificate } = await startReplica(cluster);
    expect(certificate.check()).toEqual({
      ok: false,
      detail: expect.stringMatching(/^there is no serving certificate yet; [^;]*: connection refused; [^;]*$/),
    });
    const port = await serve(certificate);
    await expect(ask({ port, ca: secretText(cluster, "ca.crt") })).rejects.toThrow();
    expect(new X509Certificate(certificate.pair.cert).subject).toBe("CN=no-serving-certificate-yet.invalid");

    await cluster.comeBack();
    await until(() => expect(certificate.check().ok).toBe(true));
    expect(await ask({ port, ca: publishedBundle(cluster) })).toBe(serialOf(certificate.pair));
  });

  it("later: the pair serves on, the fault is logged once, and so is its end", async () => {
    const cluster = await startCluster();
    await seed(cluster);
    const { certificate, warnings, lines } = await startReplica(cluster);
    const { pair } = certificate;
    await cluster.goAway();
    await until(() => expect(certificate.check().detail).toContain("connection refused"));
    await pause(6 * POLL_MS);
    expect(certificate.check().ok).toBe(true);
    expect(warnings().filter((line) => line.includes('"part"'))).toHaveLength(1);
    await cluster.comeBack();
    await until(() => expect(certificate.check().detail).toMatch(/^valid until [^;]+$/));
    expect(certificate.pair).toEqual(pair);
    expect(lines.filter((line) => line.includes('"part"'))).toHaveLength(2);
  });
});

describe("RBAC", () => {
  it("that forbids the Secret's creation is named, and heals", async () => {
    const cluster = await startCluster();
    cluster.refuse = ({ verb }) => (verb === "create" ? 403 : undefined);
    const { certificate, warnings } = await startReplica(cluster);
    expect(certificate.check()).toEqual({
      ok: false,
      detail: expect.stringMatching(/403 Forbidden: secrets "" is forbidden: .*create.*: grant it in RBAC/),
    });
    expect(warnings()).toHaveLength(1);
    cluster.refuse = () => undefined;
    await until(() => expect(certificate.check().ok).toBe(true));
  });

  it("that forbids writing leaves the last good pair in force, and what is wrong with the new one is said", async () => {
    const cluster = await startCluster();
    await seed(cluster);
    const { certificate } = await startReplica(cluster);
    const { pair } = certificate;
    cluster.refuse = ({ verb }) => (verb === "update" ? 403 : undefined);
    cluster.secrets.merge(SECRET, { data: { "tls.key": Buffer.from("garbage").toString("base64") } });
    await until(() => expect(certificate.check().detail).toMatch(/cannot update.*grant it in RBAC/));
    expect(certificate.check().detail).toMatch(/is not used: tls.key holds no private key in PEM/);
    expect(certificate.check().ok).toBe(true);
    expect(certificate.pair).toEqual(pair);
  });
});

describe("a Secret that somebody else keeps", () => {
  it("is waited for, followed, and never written", async () => {
    const cluster = await startCluster();
    const { certificate } = await startReplica(cluster, { issue: false, webhookConfiguration: undefined });
    expect(certificate.check()).toEqual({ ok: false, detail: expect.stringContaining(`/${SECRET} is not there`) });
    await seed(cluster);
    await until(() => expect(certificate.pair.cert).toBe(secretText(cluster, "tls.crt")));
    const next = await madeSecret();
    cluster.secrets.merge(SECRET, { data: next });
    await until(() => expect(certificate.pair.cert).toBe(secretText(cluster, "tls.crt")));
    cluster.secrets.merge(SECRET, { data: { "tls.crt": "" } });
    await until(() => expect(certificate.check().detail).toContain("tls.crt does not start with a certificate"));
    expect(certificate.check().ok).toBe(true);
    expect(new Set(cluster.asked.map(({ verb }) => verb))).toEqual(new Set(["get", "list", "watch"]));
    expect(cluster.asked.filter(({ resource }) => resource !== "secrets")).toEqual([]);
  });
});
