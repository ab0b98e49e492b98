import type { X509Certificate } from "node:crypto";

/** Certificates start an hour early, for clients whose clocks are behind (istio/istio#25181). In milliseconds. */
export const BACKDATE_MS = 3_600_000;

/** Whether a certificate is valid at a moment, and if not, why. */
export function validityAt(certificate: X509Certificate, now: Date): "valid" | "expired" | "not-yet-valid" {
  if (now < certificate.validFromDate) return "not-yet-valid";
  return now < certificate.validToDate ? "valid" : "expired";
}

/** When two thirds of a certificate's life are over: time to renew it. */
export function renewalTime(certificate: X509Certificate): Date {
  const start = certificate.validFromDate.getTime();
  return new Date(start + (2 / 3) * (certificate.validToDate.getTime() - start));
}

/** When a certificate of ours was issued. It is read from the certificate, so it survives a copy of the file. */
export function issueTime(certificate: X509Certificate): Date {
  return new Date(certificate.validFromDate.getTime() + BACKDATE_MS);
}
