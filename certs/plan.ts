import type { X509Certificate } from "node:crypto";
import { type Authority, hasSigned, readAuthority, readSigner } from "./authority.ts";
import type { IssuedPair } from "./issue.ts";
import { renewalTime } from "./lifetime.ts";
import { hasNames, type Names } from "./names.ts";
import { readPair } from "./pair.ts";
import type { Reason } from "./reasons.ts";

/** How long a new bundle, or a new leaf, is given to reach everyone before the next step builds on it. */
export const OVERLAP_MS = 600_000;

/** All that the next step depends on. */
export interface Material {
  /** The published bundle, newest first. */
  readonly authorities: readonly Authority[];
  /** When the newest of them was published. */
  readonly publishedAt: Date;
  readonly leaf?: (IssuedPair & { readonly changedAt: Date }) | undefined;
}

export type Step =
  /** Make a CA and publish it in front of the bundle, which stays. */
  | { readonly kind: "add-ca"; readonly reason: Reason }
  | { readonly kind: "issue-leaf"; readonly reason: Reason; readonly ca: IssuedPair }
  | { readonly kind: "drop-ca"; readonly reason: Reason; readonly dropped: readonly Authority[] }
  /** All is well, and there is nothing to do before `until`. */
  | { readonly kind: "wait"; readonly until: Date; readonly caNotAfter: Date; readonly leafNotAfter: Date };

/**
 * The next step for a CA bundle and the leaf it signs. To be asked again after each step, until it says to wait.
 *
 * A client may hold the bundle as it was `OVERLAP_MS` ago. So a leaf that still serves changes to a new CA only when
 * that CA has been published for so long, and an older CA goes only when its last leaf has been away for so long.
 *
 * @throws Error if a wanted name is none.
 */
export function planNext(material: Material, wanted: Names, now: Date): Step {
  const signer = readSigner(material.authorities[0], now);
  if (!signer.ok) {
    // A leaf that an older CA has signed serves on meanwhile.
    return { kind: "add-ca", reason: signer.reason };
  }
  const leaf = readLeaf(material, now);
  // Before a new CA is made: clients know this one already, and there is nothing that serves.
  if (!leaf.ok) return { kind: "issue-leaf", reason: leaf.reason, ca: signer };
  if (now >= renewalTime(signer.certificate)) return { kind: "add-ca", reason: "ca-aging" };

  const isNewest = leaf.issuer === material.authorities[0];
  const settled = later(material.publishedAt);
  if (isNewest || now >= settled) {
    const reason = staleLeaf(leaf.certificate, isNewest, wanted, now);
    if (reason) return { kind: "issue-leaf", reason, ca: signer };
  }

  const idle = material.authorities.slice(1).filter((authority) => authority !== leaf.issuer);
  const useless = idle.map((authority) => ({ authority, reason: uselessAuthority(authority, leaf.changedAt, now) }));
  const reason = useless.find((each) => each.reason)?.reason;
  if (reason) {
    const dropped = useless.filter((each) => each.reason === reason).map((each) => each.authority);
    return { kind: "drop-ca", reason, dropped };
  }

  const events = [
    renewalTime(signer.certificate),
    renewalTime(leaf.certificate),
    leaf.certificate.validToDate,
    ...(isNewest ? [] : [settled]),
    ...(idle.length > 0 ? [later(leaf.changedAt)] : []),
  ];
  return {
    kind: "wait",
    until: earliest(events.filter((event) => event > now)),
    caNotAfter: signer.certificate.validToDate,
    leafNotAfter: leaf.certificate.validToDate,
  };
}

export type LeafReading =
  | { readonly ok: true; readonly certificate: X509Certificate; readonly issuer: Authority; readonly changedAt: Date }
  | { readonly ok: false; readonly reason: Reason };

/** Whether the leaf can be served now, and which CA of the bundle has signed it. */
export function readLeaf({ leaf, authorities }: Material, now: Date): LeafReading {
  if (!leaf) return { ok: false, reason: "leaf-missing" };
  const reading = readPair(leaf.cert, leaf.key, now);
  if (!reading.ok) return { ok: false, reason: `leaf-${reading.fault}` };
  const { certificate } = reading;
  const issuer = authorities.find((authority) => {
    const trusted = readAuthority(authority, now);
    return trusted.ok && hasSigned(trusted.certificate, certificate);
  });
  return issuer
    ? { ok: true, certificate, issuer, changedAt: leaf.changedAt }
    : { ok: false, reason: "leaf-untrusted" };
}

function staleLeaf(leaf: X509Certificate, isNewest: boolean, wanted: Names, now: Date): Reason | undefined {
  if (!isNewest) return "leaf-older-ca";
  if (!hasNames(leaf, wanted)) return "leaf-names";
  return now >= renewalTime(leaf) ? "leaf-aging" : undefined;
}

function uselessAuthority(authority: Authority, leafChangedAt: Date, now: Date): Reason | undefined {
  const reading = readAuthority(authority, now);
  if (!reading.ok && reading.reason !== "ca-not-yet-valid") return reading.reason;
  return now >= later(leafChangedAt) ? "ca-unused" : undefined;
}

const later = (date: Date) => new Date(date.getTime() + OVERLAP_MS);

const earliest = (dates: readonly Date[]) => new Date(Math.min(...dates.map((date) => date.getTime())));
