import type { Log } from "../../webhook/log.ts";
import { issueCa, issueLeaf } from "../issue.ts";
import { readPair } from "../pair.ts";
import { type HeldPair, holdPair, type PairInForce } from "../pair-in-force.ts";

/** A pair in force that may come later than the listener that needs one. */
export interface HeldLater {
  /** The pair that is served, but for a stand-in. */
  served(): HeldPair | undefined;
  serve(pair: HeldPair): void;
  /** What is in force; a stand-in if nothing is. */
  orStandIn(now: Date): Promise<{ readonly inForce: PairInForce }>;
}

export function heldLater(log: Log, where: Readonly<Record<string, string>>): HeldLater {
  let inForce: PairInForce | undefined;
  let served = false;
  return {
    served: () => (served ? inForce?.current : undefined),
    serve(pair) {
      served = true;
      if (inForce) inForce.replace(pair, where);
      else inForce = holdPair(pair, log);
    },
    async orStandIn(now) {
      const standIn = inForce ? undefined : await makeStandIn(now);
      // The first good pair may have come while the stand-in was made.
      if (standIn) inForce ??= holdPair(standIn, log);
      if (!inForce) throw new Error("no pair is in force");
      return { inForce };
    },
  };
}

/**
 * A pair to listen with until there is one to serve: of a CA that nobody trusts and whose key is gone, under a name
 * that tells whoever meets it what is the matter.
 */
async function makeStandIn(now: Date): Promise<HeldPair> {
  const ca = await issueCa({ now, days: 1 });
  const leaf = await issueLeaf({ ca, now, dnsNames: ["no-serving-certificate-yet.invalid"], ipAddresses: [] });
  const reading = readPair(leaf.cert, leaf.key, now);
  if (!reading.ok) throw new Error(`the stand-in certificate is not good: ${reading.detail}`);
  return reading;
}
