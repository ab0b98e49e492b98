import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import forge from "node-forge";
import { BACKDATE_MS } from "./lifetime.ts";
import { canonicalNames, type Names } from "./names.ts";

/** A certificate and its private key: PEM, the key in PKCS#8 and not encrypted. */
export interface IssuedPair {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 365;
const LEAF_DAYS = 30;
/** The longest common name that X.520 allows (ub-common-name). */
const LONGEST_COMMON_NAME = 64;

const makeKeys = promisify(generateKeyPair);

/** Makes a CA with an RSA-2048 key that is valid for `days` (a year) from `now` on. */
export async function issueCa({ now, days = CA_DAYS }: { now: Date; days?: number }): Promise<IssuedPair> {
  const keys = await newKeys();
  const certificate = blank(keys.publicKey);
  certificate.validity.notBefore = new Date(now.getTime() - BACKDATE_MS);
  certificate.validity.notAfter = new Date(now.getTime() + days * DAY_MS);
  const subject = [
    { name: "organizationName", value: "smc-webhook" },
    // Two CAs of ours never share a name, so a client never tries the wrong one.
    { name: "commonName", value: `smc-webhook CA ${certificate.serialNumber.slice(0, 8)}` },
  ];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
    { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
    { name: "subjectKeyIdentifier" },
  ]);
  return sign(certificate, keys.privateKey, keys.privateKey);
}

export interface LeafOptions extends Names {
  readonly ca: IssuedPair;
  readonly now: Date;
  readonly days?: number;
}

/**
 * Makes a serving certificate with an RSA-2048 key, valid for `days` (30) from `now` on but never outside the CA's own
 * life.
 *
 * @throws Error if a name is none, or if the CA's certificate or key is not RSA in PEM.
 */
export async function issueLeaf({ ca, now, days = LEAF_DAYS, ...names }: LeafOptions): Promise<IssuedPair> {
  const { dnsNames, ipAddresses } = canonicalNames(names);
  const authority = forge.pki.certificateFromPem(ca.cert);
  const keys = await newKeys();
  const certificate = blank(keys.publicKey);
  const { notBefore, notAfter } = authority.validity;
  certificate.validity.notBefore = new Date(Math.max(now.getTime() - BACKDATE_MS, notBefore.getTime()));
  certificate.validity.notAfter = new Date(Math.min(now.getTime() + days * DAY_MS, notAfter.getTime()));
  const name = [...dnsNames, ...ipAddresses].find((each) => each.length <= LONGEST_COMMON_NAME);
  certificate.setSubject([{ name: "commonName", value: name ?? "smc-webhook" }]);
  certificate.setIssuer(authority.subject.attributes);
  certificate.setExtensions([
    { name: "basicConstraints", critical: true, cA: false },
    { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
    { name: "extKeyUsage", serverAuth: true },
    {
      name: "subjectAltName",
      // The types of GeneralName in RFC 5280, section 4.2.1.6: 2 is dNSName, 7 is iPAddress.
      altNames: [...dnsNames.map((value) => ({ type: 2, value })), ...ipAddresses.map((ip) => ({ type: 7, ip }))],
    },
    { name: "subjectKeyIdentifier" },
    { name: "authorityKeyIdentifier", keyIdentifier: keyIdentifier(authority) },
  ]);
  return sign(certificate, keys.privateKey, ca.key);
}

/** node-forge would make the keys too, but while it does, nothing else runs. */
function newKeys() {
  return makeKeys("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

function blank(publicKey: string): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  const serial = randomBytes(16);
  // RFC 5280, section 4.1.2.2: positive, so the high bit is clear; the next one keeps DER from shortening it.
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  certificate.serialNumber = serial.toString("hex");
  return certificate;
}

function keyIdentifier(authority: forge.pki.Certificate): string {
  const extension = authority.getExtension("subjectKeyIdentifier");
  return extension && "subjectKeyIdentifier" in extension && typeof extension.subjectKeyIdentifier === "string"
    ? forge.util.hexToBytes(extension.subjectKeyIdentifier)
    : authority.generateSubjectKeyIdentifier().getBytes();
}

function sign(certificate: forge.pki.Certificate, key: string, signingKey: string): IssuedPair {
  certificate.sign(forge.pki.privateKeyFromPem(signingKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate).replaceAll("\r\n", "\n"), key };
}
