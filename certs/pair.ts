import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { validityAt } from "./lifetime.ts";

export type PairFault =
  | "certificate-unreadable"
  | "key-unreadable"
  | "mismatch"
  | "expired"
  | "not-yet-valid"
  | "refused";

export type PairReading =
  | {
      readonly ok: true;
      readonly pair: { readonly cert: string; readonly key: string };
      readonly certificate: X509Certificate;
    }
  | { readonly ok: false; readonly fault: PairFault; readonly detail: string };

/**
 * Whether a serving certificate can be served now: it parses, its key belongs to it, it is valid, and TLS takes it.
 * `certPem` may be a chain, leaf first. The fault's detail speaks of the files by their names in a TLS Secret.
 */
export function readPair(certPem: string, keyPem: string, now: Date): PairReading {
  const certificate = parseCertificate(certPem);
  if (!certificate) {
    return bad("certificate-unreadable", "tls.crt does not start with a certificate in PEM: write the leaf first");
  }
  const key = parseKey(keyPem);
  if (!key) {
    return bad("key-unreadable", "tls.key holds no private key in PEM without a passphrase: write one");
  }
  // Not left to TLS: it takes an EC key beside an RSA certificate in silence, and then every handshake fails.
  if (!certificate.checkPrivateKey(key)) {
    return bad("mismatch", "tls.key is not the key of the certificate in tls.crt: write both from one issue");
  }
  const validity = validityAt(certificate, now);
  if (validity === "expired") {
    return bad(validity, `tls.crt expired at ${certificate.validToDate.toISOString()}: renew it`);
  }
  if (validity === "not-yet-valid") {
    const start = certificate.validFromDate.toISOString();
    return bad(validity, `tls.crt is not valid before ${start}: check this machine's clock, or renew it`);
  }
  try {
    createSecureContext({ cert: certPem, key: keyPem });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? `${error.code}` : "no code";
    return bad("refused", `TLS refuses tls.crt with tls.key (${code}): every certificate in the chain must be sound`);
  }
  return { ok: true, pair: { cert: certPem, key: keyPem }, certificate };
}

const bad = (fault: PairFault, detail: string): PairReading => ({ ok: false, fault, detail });

/** The first certificate in a PEM text, or nothing if there is none that can be read. */
export function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** The private key in a PEM text, or nothing. What OpenSSL has against it is dropped: a key stays out of messages. */
export function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
