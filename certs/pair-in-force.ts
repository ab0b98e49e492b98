import type { X509Certificate } from "node:crypto";
import type { Log } from "../webhook/log.ts";
import { validityAt } from "./lifetime.ts";

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface HeldPair {
  readonly pair: Pair;
  readonly certificate: X509Certificate;
}

export type PairListener = (pair: { cert: string; key: string }) => void;

export interface PairInForce {
  readonly current: HeldPair;
  /** Puts a pair in force and tells every listener, unless it is in force already. `where` is for the log. */
  replace(next: HeldPair, where: Readonly<Record<string, string>>): void;
  onChange(listener: PairListener): void;
  /** Whether it is valid, and a sentence that says from or until when. */
  validity(now: Date): { readonly valid: boolean; readonly sentence: string };
}

/** Holds the pair that is served. */
export function holdPair(first: HeldPair, log: Log): PairInForce {
  let current = first;
  const listeners: PairListener[] = [];
  return {
    get current() {
      return current;
    },
    replace({ pair, certificate }, where) {
      if (pair.cert === current.pair.cert && pair.key === current.pair.key) return;
      current = { pair, certificate };
      log.info({ ...where, notAfter: certificate.validToDate }, "certificates: a new pair is in force");
      for (const listener of listeners) {
        try {
          listener({ ...pair });
        } catch (error) {
          log.error({ err: error }, "certificates: the new pair could not be handed on");
        }
      }
    },
    onChange(listener) {
      listeners.push(listener);
    },
    validity(now) {
      const { certificate } = current;
      const validity = validityAt(certificate, now);
      const sentence = {
        valid: `valid until ${certificate.validToDate.toISOString()}`,
        expired: `expired at ${certificate.validToDate.toISOString()}`,
        "not-yet-valid": `not valid before ${certificate.validFromDate.toISOString()}: check this machine's clock`,
      }[validity];
      return { valid: validity === "valid", sentence };
    },
  };
}
