import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { hasSigned } from "../../certs/authority.ts";
import { type IssuedPair, issueCa, issueLeaf } from "../../certs/issue.ts";
import { hasNames } from "../../certs/names.ts";
import { openssl, verify } from "./openssl.ts";
import { DAY, HOUR, NAMES, plus } from "./scene.ts";

const LONG = `${"a".repeat(60)}.smc-system.svc.cluster.local`;
const names = {
  dnsNames: [LONG, ...NAMES.dnsNames, "*.mesh.example"],
  ipAddresses: ["127.0.0.1", "::1", "FD00:0:0::a1", "::ffff:10.1.2.3"],
};
const now = new Date();
let ca: IssuedPair;
let leaf: IssuedPair;

beforeAll(async () => {
  ca = await issueCa({ now });
  leaf = await issueLeaf({ ca, ...names, now });
});

const text = (pem: string) => openssl(["x509", "-noout", "-text", "-in", "{pem}"], { pem });
const second = (date: Date) => Math.floor(date.getTime() / 1000);

describe("a CA", () => {
  it("says in critical extensions that it signs certificates, and no CA below it", async () => {
    const seen = await text(ca.cert);
    expect(seen).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(seen).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(seen).toMatch(/Subject Key Identifier/);
    expect(seen).toMatch(/Signature Algorithm: sha256WithRSAEncryption/);
    expect(seen).toMatch(/Public-Key: \(2048 bit\)/);
  });

  it("has a subject of its own, and a positive serial number of 16 octets", async () => {
    const [one, two] = [new X509Certificate(ca.cert), new X509Certificate((await issueCa({ now })).cert)];
    expect(one.subject).toMatch(/^O=smc-webhook\nCN=smc-webhook CA [0-9a-f]{8}$/);
    expect(one.subject).not.toBe(two.subject);
    expect(one.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(one.serialNumber).not.toBe(two.serialNumber);
  });

  it("is valid for a year, from an hour ago on", () => {
    const { validFromDate, validToDate } = new X509Certificate(ca.cert);
    expect(second(validFromDate)).toBe(second(plus(now, -HOUR)));
    expect(second(validToDate)).toBe(second(plus(now, 365 * DAY)));
  });
});

describe("a serving certificate", () => {
  it("is one that openssl trusts under strict rules for each of its names", async () => {
    for (const name of [LONG, ...NAMES.dnsNames, "a.mesh.example"]) {
      expect(await verify(ca.cert, leaf.cert, ["-verify_hostname", name]), name).toBe("OK");
    }
    for (const address of names.ipAddresses) {
      expect(await verify(ca.cert, leaf.cert, ["-verify_ip", address]), address).toBe("OK");
    }
    expect(await verify(ca.cert, leaf.cert, ["-verify_hostname", "other.example"])).toMatch(/hostname mismatch/);
    expect(await verify((await issueCa({ now })).cert, leaf.cert)).toMatch(/unable to get local issuer/);
  });

  it("is for TLS servers only and points to its CA's key", async () => {
    const seen = await text(leaf.cert);
    expect(seen).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(seen).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment/);
    expect(seen).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication\s+X509v3/);
    const [, own] = /Subject Key Identifier:\s+(\S+)/.exec(await text(ca.cert)) ?? [];
    expect(seen).toMatch(new RegExp(`Authority Key Identifier:\\s+(keyid:)?${own}`));
    expect(hasSigned(new X509Certificate(ca.cert), new X509Certificate(leaf.cert))).toBe(true);
  });

  it("has a common name of at most 64 characters", () => {
    expect(new X509Certificate(leaf.cert).subject).toBe("CN=smc-webhook.smc-system.svc");
  });

  it("is known by its names in any order and spelling", () => {
    const certificate = new X509Certificate(leaf.cert);
    const reordered = {
      dnsNames: names.dnsNames.toReversed(),
      ipAddresses: ["fd00::A1", "::ffff:a01:203", "::1", "127.0.0.1"],
    };
    expect(hasNames(certificate, reordered)).toBe(true);
    expect(hasNames(certificate, { ...names, dnsNames: NAMES.dnsNames })).toBe(false);
    expect(hasNames(certificate, { ...names, ipAddresses: [...names.ipAddresses, "10.0.0.1"] })).toBe(false);
  });

  it("is valid for 30 days, from an hour ago on", () => {
    const { validFromDate, validToDate } = new X509Certificate(leaf.cert);
    expect(second(validFromDate)).toBe(second(plus(now, -HOUR)));
    expect(second(validToDate)).toBe(second(plus(now, 30 * DAY)));
  });

  it("never outlives its CA", async () => {
    const late = await issueLeaf({ ca, ...NAMES, now: plus(now, 360 * DAY) });
    expect(new X509Certificate(late.cert).validTo).toBe(new X509Certificate(ca.cert).validTo);
  });

  it.each([
    [{ dnsNames: [], ipAddresses: ["10.0.0.300"] }, '"10.0.0.300" is not an IP address'],
    [{ dnsNames: [], ipAddresses: ["fe80::1%eth0"] }, '"fe80::1%eth0" is not an IP address'],
    [{ dnsNames: ["two words"], ipAddresses: [] }, '"two words" is not a DNS name'],
    [{ dnsNames: [], ipAddresses: [] }, "needs a DNS name or an IP address"],
  ])("is not made for %j", async (odd, message) => {
    await expect(issueLeaf({ ca, ...odd, now })).rejects.toThrow(message);
  });
});
