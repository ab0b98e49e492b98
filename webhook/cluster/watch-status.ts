import type { Log } from "../log.ts";

/** How well the objects of one kind are known. */
export interface WatchStatus {
  /** `absent`: the server does not know this kind of object. `broken`: what was delivered may be out of date. */
  readonly state: "starting" | "synced" | "absent" | "broken";
  /** When the server was last known to agree with what was delivered; undefined before the first list. */
  readonly agreedAt: Date | undefined;
  /** Why it is not known to agree now. */
  readonly fault: string | undefined;
  /** Objects that could not be taken in since the last list. */
  readonly errors: number;
}

export interface StatusKeeper {
  readonly current: WatchStatus;
  /** The server and what was delivered are the same. */
  agreed(state: "synced" | "absent"): void;
  failed(fault: string): void;
  /** Runs what may throw; that is logged and counted, and yields undefined. */
  guard<T>(work: () => T): T | undefined;
  /** Begins to count errors anew. */
  recount(): void;
}

/** Keeps the status of a watch, and logs when it turns. */
export function keepStatus(log: Log, where: string, now: () => Date): StatusKeeper {
  let current: WatchStatus = { state: "starting", agreedAt: undefined, fault: undefined, errors: 0 };
  return {
    get current() {
      return current;
    },
    agreed(state) {
      if (current.fault !== undefined) log.info({ where }, "the cluster is followed again");
      current = { ...current, state, agreedAt: now(), fault: undefined };
    },
    failed(fault) {
      if (fault !== current.fault) log.warn({ where }, `the cluster is not followed: ${fault}`);
      current = { ...current, state: current.state === "starting" ? "starting" : "broken", fault };
    },
    guard(work) {
      try {
        return work();
      } catch (error) {
        current = { ...current, errors: current.errors + 1 };
        log.error({ err: error, where }, "an object of the cluster could not be taken in");
        return undefined;
      }
    },
    recount() {
      current = { ...current, errors: 0 };
    },
  };
}
