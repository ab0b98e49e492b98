import type { Log } from "../../webhook/log.ts";

/** What is wrong, by the part that is concerned. */
export interface PartFaults {
  /** Undefined: nothing. Each distinct fault is logged once, and so is its end. */
  set(part: string, fault: string | undefined): void;
  all(): readonly string[];
}

/** Remembers what is wrong with each part. */
export function rememberPartFaults(log: Log): PartFaults {
  const faults = new Map<string, string>();
  return {
    set(part, fault) {
      const before = faults.get(part);
      if (fault === before) return;
      if (fault === undefined) {
        faults.delete(part);
        log.info({ part }, `certificates: over: ${before}`);
      } else {
        faults.set(part, fault);
        log.warn({ part }, `certificates: ${fault}`);
      }
    },
    all: () => [...faults.values()],
  };
}

/** A text for people, without what may be of a Secret: the API server quotes bodies that it cannot read. */
export function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : `${error}`;
  return message.replaceAll(/[A-Za-z0-9+/=\n\\]{65,}/g, "…").replaceAll(/-----BEGIN .*/gs, "…");
}
