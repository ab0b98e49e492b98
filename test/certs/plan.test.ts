import { beforeAll, describe, expect, it } from "vitest";
import { type IssuedPair, issueCa, issueLeaf } from "../../certs/issue.ts";
import { type Material, planNext } from "../../certs/plan.ts";
import { DAY, ecKey, HOUR, MINUTE, NAMES, plus } from "./scene.ts";

const start = new Date("2026-01-01T00:00:00Z");
/** Two thirds of a year and its back-dated hour. */
const caRenewal = plus(start, (2 / 3) * (365 * DAY + HOUR) - HOUR);
const leafRenewal = plus(start, (2 / 3) * (30 * DAY + HOUR) - HOUR);
const second = plus(start, 244 * DAY);

let a: IssuedPair;
let b: IssuedPair;
let leafA: IssuedPair;
/** Of A, issued on the day on which B is published. */
let lateLeafA: IssuedPair;
let leafB: IssuedPair;

beforeAll(async () => {
  [a, b] = await Promise.all([issueCa({ now: start }), issueCa({ now: second })]);
  [leafA, lateLeafA, leafB] = await Promise.all([
    issueLeaf({ ca: a, ...NAMES, now: start }),
    issueLeaf({ ca: a, ...NAMES, now: plus(second, -DAY) }),
    issueLeaf({ ca: b, ...NAMES, now: second }),
  ]);
});

const one = (changes: Partial<Material> = {}): Material => ({
  authorities: [a],
  publishedAt: start,
  leaf: { ...leafA, changedAt: start },
  ...changes,
});
const two = (changes: Partial<Material> = {}): Material => ({
  authorities: [b, { cert: a.cert }],
  publishedAt: second,
  leaf: { ...lateLeafA, changedAt: plus(second, -DAY) },
  ...changes,
});

const plan = (material: Material, now: Date, wanted = NAMES) => planNext(material, wanted, now);

describe("a CA is added", () => {
  it.each<[string, string, () => Material, Date]>([
    ["there is none", "no-ca", () => one({ authorities: [] }), start],
    ["its key is missing", "ca-key-missing", () => one({ authorities: [{ cert: a.cert }] }), start],
    ["its key is another's", "ca-key-unusable", () => one({ authorities: [{ cert: a.cert, key: b.key }] }), start],
    ["its key is not RSA", "ca-key-unusable", () => one({ authorities: [{ cert: a.cert, key: ecKey() }] }), start],
    ["its key is garbage", "ca-key-unusable", () => one({ authorities: [{ cert: a.cert, key: "key" }] }), start],
    ["it is garbage", "ca-unreadable", () => one({ authorities: [{ ...a, cert: "garbage" }, a] }), start],
    ["it is no CA", "ca-not-a-root", () => one({ authorities: [leafA, a] }), start],
    ["it has expired", "ca-expired", one, plus(start, 365 * DAY)],
    ["it is not valid yet", "ca-not-yet-valid", one, plus(start, -HOUR - 1000)],
    ["it is past two thirds", "ca-aging", () => one({ leaf: { ...lateLeafA, changedAt: start } }), caRenewal],
  ])("when %s", (_, reason, material, now) => {
    expect(plan(material(), now)).toEqual({ kind: "add-ca", reason });
  });

  it("but not before a leaf that cannot be served is replaced by one of the CA that clients know", () => {
    expect(plan(one(), caRenewal)).toMatchObject({ kind: "issue-leaf", reason: "leaf-expired", ca: a });
    expect(plan(one({ leaf: undefined }), caRenewal)).toMatchObject({ kind: "issue-leaf", reason: "leaf-missing" });
  });
});

describe("a leaf is issued by the newest CA", () => {
  const renamed = { ...NAMES, dnsNames: ["other.svc"] };
  it.each<[string, string, () => Material, Date, typeof NAMES]>([
    ["there is none", "leaf-missing", () => one({ leaf: undefined }), start, NAMES],
    [
      "its key is another's",
      "leaf-mismatch",
      () => one({ leaf: { ...leafA, key: a.key, changedAt: start } }),
      start,
      NAMES,
    ],
    [
      "its key is garbage",
      "leaf-key-unreadable",
      () => one({ leaf: { ...leafA, key: "", changedAt: start } }),
      start,
      NAMES,
    ],
    [
      "it is garbage",
      "leaf-certificate-unreadable",
      () => one({ leaf: { ...leafA, cert: "", changedAt: start } }),
      start,
      NAMES,
    ],
    ["it has expired", "leaf-expired", one, plus(start, 30 * DAY), NAMES],
    ["it is not valid yet", "leaf-not-yet-valid", () => one({ leaf: { ...leafB, changedAt: start } }), start, NAMES],
    ["no CA of the bundle signed it", "leaf-untrusted", () => two({ authorities: [b] }), second, NAMES],
    ["it is past two thirds", "leaf-aging", one, leafRenewal, NAMES],
    ["its names are not the wanted", "leaf-names", one, start, renamed],
  ])("when %s", (_, reason, material, now, wanted) => {
    const { authorities } = material();
    expect(plan(material(), now, wanted)).toMatchObject({
      kind: "issue-leaf",
      reason,
      ca: { cert: authorities[0]?.cert },
    });
  });

  it("when it is an older CA's and the newest has been published for ten minutes", () => {
    const until = plus(second, 10 * MINUTE);
    expect(plan(two(), plus(second, 5 * MINUTE))).toMatchObject({ kind: "wait", until });
    expect(plan(two(), until)).toMatchObject({ kind: "issue-leaf", reason: "leaf-older-ca", ca: b });
  });

  it("with new names only after those ten minutes too, while the old one serves", () => {
    expect(plan(two(), second, renamed)).toMatchObject({ kind: "wait" });
    expect(plan(two(), plus(second, 10 * MINUTE), renamed)).toMatchObject({ kind: "issue-leaf" });
  });

  it("at once if the old one cannot serve, however new the CA is", () => {
    expect(plan(two({ leaf: undefined }), second)).toMatchObject({ kind: "issue-leaf", reason: "leaf-missing", ca: b });
  });

  it("but stays when only the order or the spelling of names differs", () => {
    const same = { dnsNames: ["LOCALHOST", "smc-webhook.smc-system.svc"], ipAddresses: ["0:0::1", "127.0.0.1"] };
    expect(plan(one(), start, same)).toMatchObject({ kind: "wait" });
  });
});

describe("an older CA is dropped", () => {
  const served = (changes: Partial<Material> = {}) => two({ leaf: { ...leafB, changedAt: second }, ...changes });

  it("when the leaf has been another CA's for ten minutes", () => {
    const until = plus(second, 10 * MINUTE);
    expect(plan(served(), plus(second, 9 * MINUTE))).toMatchObject({ kind: "wait", until });
    expect(plan(served(), until)).toEqual({ kind: "drop-ca", reason: "ca-unused", dropped: [{ cert: a.cert }] });
  });

  it("at once when it cannot be read", () => {
    const material = served({ authorities: [b, { cert: "garbage" }, { cert: a.cert }] });
    expect(plan(material, second)).toEqual({
      kind: "drop-ca",
      reason: "ca-unreadable",
      dropped: [{ cert: "garbage" }],
    });
  });

  it("at once when it has expired", async () => {
    const now = plus(start, 366 * DAY);
    const leaf = { ...(await issueLeaf({ ca: b, ...NAMES, now })), changedAt: now };
    expect(plan(served({ leaf }), now)).toEqual({ kind: "drop-ca", reason: "ca-expired", dropped: [{ cert: a.cert }] });
  });

  it("but not while the leaf is its own", () => {
    expect(plan(two(), plus(second, MINUTE))).toMatchObject({ kind: "wait" });
  });
});

describe("otherwise it waits", () => {
  it("until the leaf is past two thirds of its life", () => {
    expect(plan(one(), start)).toEqual({
      kind: "wait",
      until: leafRenewal,
      caNotAfter: plus(start, 365 * DAY),
      leafNotAfter: plus(start, 30 * DAY),
    });
  });

  it("or until the CA is, if that is earlier", () => {
    const material = one({ leaf: { ...lateLeafA, changedAt: start } });
    expect(plan(material, plus(caRenewal, -1))).toMatchObject({ kind: "wait", until: caRenewal });
  });
});
