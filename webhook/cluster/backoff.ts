import { setTimeout as sleep } from "node:timers/promises";

export interface BackoffOptions {
  /** Milliseconds before the first attempt after a failure. */
  readonly firstMs?: number;
  /** Milliseconds that no pause exceeds. */
  readonly longestMs?: number;
}

/** Pauses that double from one to the next. */
export interface Backoff {
  /** Ends early, without an error, when the signal is aborted. */
  pause(signal: AbortSignal): Promise<void>;
  /** The next pause is the first again. */
  reset(): void;
}

/** Half of each pause is left to chance, so that the replicas do not all come back at the same moment. */
export function createBackoff({ firstMs = 100, longestMs = 10_000 }: BackoffOptions = {}): Backoff {
  let next = firstMs;
  return {
    async pause(signal) {
      const milliseconds = next * (1 - Math.random() / 2);
      next = Math.min(next * 2, longestMs);
      await sleepUntil(milliseconds, signal);
    },
    reset() {
      next = firstMs;
    },
  };
}

/** A pause that ends early, without an error, when the signal is aborted. */
export async function sleepUntil(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
}
