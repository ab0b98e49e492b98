import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { issueCa } from "../../../certs/issue.ts";
import { pause, until } from "../open.ts";
import { at, verify } from "../openssl.ts";
import { DAY, HOUR, MINUTE, NAMES, plus } from "../scene.ts";
import type { FakeApiServer } from "./fake-api-server.ts";
import { watchTrust } from "./invariant.ts";
import {
  count,
  publishedBundle,
  type Replica,
  SECRET,
  secretText,
  spoil,
  startCluster,
  startReplica,
} from "./scene.ts";
import { secretOf, seed } from "./seed.ts";

const start = new Date("2026-09-01T00:00:00Z");

/** A cluster whose CA is `age` old and whose leaf is new, with replicas whose clocks are off by so much. */
async function cluster(age: number, skews: readonly number[]) {
  const fake = await startCluster();
  let time = start;
  fake.now = () => time;
  const ca = await issueCa({ now: plus(start, -age) });
  await seed(fake, await secretOf([ca], ca, start));
  const replicas: Replica[] = [];
  for (const [index, skew] of skews.entries()) {
    replicas.push(await startReplica(fake, { user: `${index}`, now: () => plus(time, skew) }));
  }
  await until(() => expect(publishedBundle(fake)).toBe(secretText(fake, "ca.crt")));
  const pass = async (milliseconds: number) => {
    time = plus(time, milliseconds);
    await rest(fake, replicas.length);
    for (const { certificate } of replicas) {
      expect(await verify(publishedBundle(fake), certificate.pair.cert, at(time)), time.toISOString()).toBe("OK");
    }
  };
  return { fake, ca, replicas, trust: watchTrust(fake, replicas), pass };
}

/** Until every replica has looked three times since anything was last written. */
async function rest({ asked, secrets, configurations }: FakeApiServer, replicas: number): Promise<void> {
  let written = -1;
  let from = 0;
  for (;;) {
    const now = secrets.events.length + configurations.events.length;
    if (now !== written) from = asked.length;
    written = now;
    const looks = asked.slice(from).filter(({ verb, resource }) => verb === "get" && resource === "secrets");
    const each = new Map(looks.map(({ user }) => [user, looks.filter((look) => look.user === user).length]));
    if (each.size === replicas && [...each.values()].every((times) => times >= 3)) return;
    await pause(20);
  }
}

const writes = ({ secrets }: FakeApiServer) => secrets.events.length - 1;
const servesSecret = (fake: FakeApiServer, replicas: readonly Replica[]) =>
  replicas.every(({ certificate }) => certificate.pair.cert === secretText(fake, "tls.crt"));

it("three replicas at different clocks go to a new CA while every leaf served is trusted at every step", async () => {
  const { fake, ca, replicas, trust, pass } = await cluster(243 * DAY, [0, -50 * MINUTE, 3 * HOUR]);
  const old = { bundle: publishedBundle(fake), leaf: secretText(fake, "tls.crt") };
  await pass(HOUR);
  expect(writes(fake)).toBe(0);

  await pass(DAY);
  expect(count(publishedBundle(fake))).toBe(2);
  expect(publishedBundle(fake)).toBe(secretText(fake, "ca.crt"));
  await pass(8 * MINUTE);
  expect(secretText(fake, "tls.crt")).toBe(old.leaf);

  await pass(3 * MINUTE);
  expect(secretText(fake, "tls.crt")).not.toBe(old.leaf);
  expect(servesSecret(fake, replicas)).toBe(true);
  await pass(8 * MINUTE);
  expect(publishedBundle(fake)).toContain(ca.cert.trim());

  await pass(3 * MINUTE);
  expect(publishedBundle(fake)).toBe(secretText(fake, "ca.crt"));
  expect(count(publishedBundle(fake))).toBe(1);
  expect(publishedBundle(fake)).not.toContain(ca.cert.trim());

  const leaf = secretText(fake, "tls.crt");
  await pass(21 * DAY);
  expect(secretText(fake, "tls.crt")).not.toBe(leaf);
  expect(servesSecret(fake, replicas)).toBe(true);
  expect(writes(fake)).toBe(4);
  expect(trust.broken).toEqual([]);
});

it("a leaf does not change to a new CA that is not published", async () => {
  const { fake, trust, pass } = await cluster(243 * DAY, [0]);
  const leaf = secretText(fake, "tls.crt");
  fake.refuse = ({ verb }) => (verb === "patch" ? 403 : undefined);
  await pass(DAY);
  await pass(HOUR);
  expect(count(secretText(fake, "ca.crt"))).toBe(2);
  expect(secretText(fake, "tls.crt")).toBe(leaf);
  fake.refuse = () => undefined;
  await pass(MINUTE);
  expect(secretText(fake, "tls.crt")).toBe(leaf);
  await pass(11 * MINUTE);
  expect(secretText(fake, "tls.crt")).not.toBe(leaf);
  expect(trust.broken).toEqual([]);
});

it("a leaf of a CA that was published just now is swapped in when every API server has heard of it", async () => {
  const { fake, ca, replicas, trust, pass } = await cluster(DAY, [0]);
  const leaf = secretText(fake, "tls.crt");
  const next = await issueCa({ now: start });
  fake.secrets.merge(SECRET, { data: await secretOf([next, ca], next, start) });
  await pass(1000);
  expect(count(publishedBundle(fake))).toBe(2);
  expect(replicas[0]?.certificate.pair.cert).toBe(leaf);
  expect(replicas[0]?.certificate.check().detail).toContain("waits until its CA has been in caBundle for a while");
  await pass(5000);
  expect(servesSecret(fake, replicas)).toBe(true);
  expect(trust.broken).toEqual([]);
});

describe("a replica whose clock is off", () => {
  it.each([
    ["an hour behind", -HOUR - 5 * MINUTE, /clock is 65 min behind the API server's.*set it right/],
    ["three hours behind", -3 * HOUR, /clock is 180 min behind/],
    ["four weeks ahead", 28 * DAY, /clock is 40320 min ahead of/],
  ])("%s leaves a good Secret as it is, serves it, and says so", async (_, skew, message) => {
    const { fake, replicas, trust } = await cluster(0, [0, skew]);
    await rest(fake, 2);
    expect(writes(fake)).toBe(0);
    expect(servesSecret(fake, replicas)).toBe(true);
    expect(replicas[1]?.certificate.check()).toEqual({ ok: true, detail: expect.stringMatching(message) });
    expect(replicas[1]?.warnings()).toEqual([expect.stringMatching(message)]);
    expect(trust.broken).toEqual([]);
  });

  it("and that is alone makes certificates that are good by the API server's clock", async () => {
    const fake = await startCluster();
    fake.now = () => start;
    const { certificate } = await startReplica(fake, { now: () => plus(start, 3 * HOUR) });
    const { validFromDate } = new X509Certificate(certificate.pair.cert);
    expect(validFromDate.getTime()).toBeLessThanOrEqual(plus(start, -HOUR).getTime() + 2000);
    expect(certificate.check().ok).toBe(true);
  });

  it("and that only reads says what to do when it cannot ask for the time", async () => {
    const { fake } = await cluster(0, [0]);
    fake.clockless = true;
    const { certificate } = await startReplica(fake, { issue: false, now: () => plus(start, -2 * HOUR) });
    expect(certificate.check()).toEqual({ ok: false, detail: expect.stringMatching(/not valid before .*clock/) });
  });
});

it("replicas of two versions that want different names end with a leaf good for both", async () => {
  const fake = await startCluster();
  await seed(fake);
  const extra = { ...NAMES, dnsNames: [...NAMES.dnsNames, "new.example"] };
  await startReplica(fake, { user: "0" });
  await startReplica(fake, { user: "1", ...extra });
  await startReplica(fake, { user: "2", dnsNames: ["smc-webhook.smc-system.svc", "old.example"] });
  await until(() => expect(writes(fake)).toBe(2));
  await rest(fake, 3);
  expect(writes(fake)).toBe(2);
  const names = new X509Certificate(secretText(fake, "tls.crt")).subjectAltName;
  for (const name of ["localhost", "new.example", "old.example"]) expect(names).toContain(name);
});

it("a start with everything spoiled at once makes all of it anew", async () => {
  const fake = await startCluster();
  await seed(fake);
  spoil(fake, { "ca.crt": "garbage", "ca.key": "garbage", "tls.crt": "garbage", "tls.key": "garbage" });
  const { certificate } = await startReplica(fake);
  expect(certificate.check().ok).toBe(true);
  await until(() => expect(publishedBundle(fake)).toBe(secretText(fake, "ca.crt")));
});
