import { readAuthority } from "../authority.ts";
import { bundleOf, certificatesIn } from "../bundle.ts";
import { parseCertificate } from "../pair.ts";
import type { Pair } from "../pair-in-force.ts";
import { type Material, readLeaf } from "../plan.ts";
import type { Texts } from "./secret.ts";

/** What is known beside the Secret. */
export interface Surroundings {
  /** The pair that this process serves, if it has one. */
  readonly pair: Pair | undefined;
  /** CAs that clients trust, newest first: those of the last good Secret, and the published ones. */
  readonly trusted: readonly string[];
  /** Since when clients are known to trust a CA, and since when a leaf is known to be in the Secret. */
  publishedAt(ca: string): Date;
  changedAt(leaf: string): Date;
}

/**
 * What the plan is made for: the Secret's content. Where that cannot be served (nothing is there, or something is
 * spoiled) it is completed with what clients trust and with the pair in force, so that a mend is no break: the plan
 * then goes to a new CA as it does when an old one ages.
 */
export function materialOf(texts: Texts | undefined, surroundings: Surroundings, now: Date): Material {
  const found = certificatesIn(texts?.["ca.crt"] ?? "");
  const key = texts?.["ca.key"] || undefined;
  const leaf = texts && { cert: texts["tls.crt"], key: texts["tls.key"] };
  const assemble = (roots: readonly string[], pair: Pair | undefined): Material => ({
    authorities: roots.map((cert, index) => (index === 0 ? { cert, key } : { cert })),
    publishedAt: roots[0] === undefined ? now : surroundings.publishedAt(roots[0]),
    leaf: pair?.cert ? { ...pair, changedAt: surroundings.changedAt(pair.cert) } : undefined,
  });

  const material = assemble(found, leaf);
  if (readLeaf(material, now).ok) return material;
  const roots = distinct([...found, ...surroundings.trusted], now);
  const mended = [leaf, surroundings.pair].map((pair) => assemble(roots, pair));
  return mended.find((each) => readLeaf(each, now).ok) ?? assemble(roots, leaf);
}

/** CAs that are good now, each once. */
function distinct(certificates: readonly string[], now: Date): readonly string[] {
  const byPrint = new Map<string, string>();
  for (const cert of certificates) {
    const print = parseCertificate(cert)?.fingerprint256;
    if (print && !byPrint.has(print) && readAuthority({ cert }, now).ok) byPrint.set(print, cert);
  }
  return [...byPrint.values()];
}

/** What the Secret should hold for a material that needs no step. */
export const textsOf = ({ authorities, leaf }: Material): Texts => ({
  "ca.crt": bundleOf(authorities.map(({ cert }) => cert)),
  "ca.key": authorities[0]?.key ?? "",
  "tls.crt": leaf?.cert ?? "",
  "tls.key": leaf?.key ?? "",
});
