import { generateKeyPairSync } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { type IssuedPair, issueCa, issueLeaf } from "../../certs/issue.ts";
import { readPair } from "../../certs/pair.ts";
import { DAY, ecKey, HOUR, NAMES, plus } from "./scene.ts";

const now = new Date("2026-03-01T12:00:00Z");
let ca: IssuedPair;
let leaf: IssuedPair;

beforeAll(async () => {
  ca = await issueCa({ now });
  leaf = await issueLeaf({ ca, ...NAMES, now });
});

it("takes a pair that belongs together", () => {
  expect(readPair(leaf.cert, leaf.key, now)).toMatchObject({ ok: true, pair: leaf });
});

it("takes a full chain, leaf first", () => {
  expect(readPair(leaf.cert + ca.cert, leaf.key, now)).toMatchObject({ ok: true, pair: { cert: leaf.cert + ca.cert } });
});

it("refuses a chain in the wrong order", () => {
  expect(readPair(ca.cert + leaf.cert, leaf.key, now)).toMatchObject({ fault: "mismatch" });
});

it("refuses an EC key beside an RSA certificate, which TLS itself would take", () => {
  expect(readPair(leaf.cert, ecKey(), now)).toMatchObject({ fault: "mismatch" });
});

it("refuses another certificate's key", () => {
  expect(readPair(leaf.cert, ca.key, now)).toMatchObject({ fault: "mismatch" });
});

it("refuses what is no PEM, and says which file", () => {
  expect(readPair("", leaf.key, now)).toMatchObject({
    fault: "certificate-unreadable",
    detail: expect.stringMatching(/^tls.crt /),
  });
  expect(readPair(leaf.key, leaf.cert, now)).toMatchObject({ fault: "certificate-unreadable" });
  expect(readPair(leaf.cert, leaf.key.slice(0, 400), now)).toMatchObject({
    fault: "key-unreadable",
    detail: expect.stringMatching(/^tls.key /),
  });
});

it("refuses a key with a passphrase, for which nobody could be asked", () => {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" },
  });
  expect(readPair(leaf.cert, privateKey, now)).toMatchObject({ fault: "key-unreadable" });
});

it("refuses a chain that TLS cannot load", () => {
  const broken = ca.cert.replace(/\n.{20}/, "\n!!!!!!!!!!!!!!!!!!!!");
  expect(readPair(leaf.cert + broken, leaf.key, now)).toMatchObject({ fault: "refused" });
});

it("refuses a pair outside its validity, and says when that is", () => {
  expect(readPair(leaf.cert, leaf.key, plus(now, 30 * DAY))).toMatchObject({
    fault: "expired",
    detail: expect.stringMatching(/expired at 2026-03-31T12:00:00/),
  });
  expect(readPair(leaf.cert, leaf.key, plus(now, -2 * HOUR))).toMatchObject({
    fault: "not-yet-valid",
    detail: expect.stringMatching(/not valid before 2026-03-01T11:00:00/),
  });
  expect(readPair(leaf.cert, leaf.key, plus(now, -HOUR))).toMatchObject({ ok: true });
});

it("never shows a key in what it says", () => {
  const body = leaf.key.split("\n")[1] ?? "";
  expect(body.length).toBe(64);
  for (const reading of [readPair(leaf.key, leaf.key, now), readPair(leaf.cert, leaf.key.slice(0, 400), now)]) {
    expect(JSON.stringify(reading)).not.toContain(body);
  }
});
