import type { X509Certificate } from "node:crypto";
import { validityAt } from "./lifetime.ts";
import { parseCertificate, parseKey } from "./pair.ts";
import type { Reason } from "./reasons.ts";

/** A CA of the published bundle, in PEM. Only the newest needs its key. */
export interface Authority {
  readonly cert: string;
  readonly key?: string | undefined;
}

export type AuthorityReading =
  | { readonly ok: true; readonly certificate: X509Certificate }
  | { readonly ok: false; readonly reason: Reason };

/** Whether clients that trust this CA accept what it signed. */
export function readAuthority(authority: Authority, now: Date): AuthorityReading {
  const certificate = parseCertificate(authority.cert);
  if (!certificate) return { ok: false, reason: "ca-unreadable" };
  if (!certificate.ca || !hasSigned(certificate, certificate)) return { ok: false, reason: "ca-not-a-root" };
  const validity = validityAt(certificate, now);
  return validity === "valid" ? { ok: true, certificate } : { ok: false, reason: `ca-${validity}` };
}

export type SignerReading =
  | { readonly ok: true; readonly certificate: X509Certificate; readonly cert: string; readonly key: string }
  | { readonly ok: false; readonly reason: Reason };

/** Whether this CA can sign now: it is valid, and its key is at hand. node-forge signs with RSA keys only. */
export function readSigner(authority: Authority | undefined, now: Date): SignerReading {
  if (!authority) return { ok: false, reason: "no-ca" };
  const reading = readAuthority(authority, now);
  if (!reading.ok) return reading;
  if (authority.key === undefined) return { ok: false, reason: "ca-key-missing" };
  const key = parseKey(authority.key);
  if (key?.asymmetricKeyType !== "rsa" || !reading.certificate.checkPrivateKey(key)) {
    return { ok: false, reason: "ca-key-unusable" };
  }
  return { ok: true, certificate: reading.certificate, cert: authority.cert, key: authority.key };
}

/** Whether `authority` has signed `certificate`, by name, by key identifier and by signature. */
export function hasSigned(authority: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}
