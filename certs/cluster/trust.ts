import type { X509Certificate } from "node:crypto";
import { hasSigned } from "../authority.ts";
import { parseCertificate } from "../pair.ts";
import { type Published, publishedRoots } from "./configuration.ts";
import { createSightings } from "./sightings.ts";

/** Milliseconds that every API server is given to hear of a new caBundle. */
const SPREAD_MS = 5000;

/**
 * What is known of the published caBundle. `off`: publishing is somebody else's matter. `absent`: there is nobody who
 * calls us. `unknown`: it cannot be read now.
 */
export type Publication = Published | "off" | "absent" | "unknown";

/** What clients trust, and since when this process knows. */
export interface Trust {
  saw(publication: Publication, now: Date): void;
  roots(): readonly string[];
  /** Since when clients are known to trust a CA of the Secret: now, where that is not known. */
  publishedAt(ca: string, now: Date): Date;
  /** Since when a leaf is known to be in the Secret. */
  changedAt(leaf: string, now: Date): Date;
  /**
   * Whether a new leaf has to wait: clients trust the one that is served, and cannot be counted on to trust the new
   * one yet.
   */
  holdsBack(next: X509Certificate, served: X509Certificate, now: Date): boolean;
}

export function createTrust(): Trust {
  const published = createSightings();
  const inSecret = createSightings();
  let publication: Publication = "unknown";
  let roots: readonly string[] = [];

  const signers = (certificate: X509Certificate) =>
    roots.filter((root) => {
      const authority = parseCertificate(root);
      return authority !== undefined && hasSigned(authority, certificate);
    });

  return {
    saw(seen, now) {
      publication = seen;
      // While it cannot be read, it is taken to be what it was: a mend may still build on it.
      if (seen !== "unknown") roots = typeof seen === "object" ? publishedRoots(seen) : [];
      for (const root of roots) published.since(root, now);
    },
    roots: () => roots,
    publishedAt(ca, now) {
      const since = inSecret.since(ca, now);
      if (publication === "off" || publication === "absent") return since;
      if (publication === "unknown" || !roots.includes(ca)) return now;
      return new Date(Math.max(since.getTime(), published.since(ca, now).getTime()));
    },
    changedAt: inSecret.since,
    holdsBack(next, served, now) {
      // Whoever wrote the Secret may know more, and to wait for what may never be readable again helps nobody.
      if (publication === "unknown") return false;
      if (signers(served).length === 0) return false;
      const settled = now.getTime() - SPREAD_MS;
      return !signers(next).some((root) => published.since(root, now).getTime() <= settled);
    },
  };
}
