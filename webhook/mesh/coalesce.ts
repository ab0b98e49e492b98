/** Work that is asked for more often than it needs doing. */
export interface Coalesced {
  /** The work will be done soon. */
  request(): void;
  close(): void;
}

/** Milliseconds that a request waits for others. */
const GATHER_MS = 10;

/** The work takes at most this share of the time, unless that would delay it by more than MAX_DELAY_MS. */
const SHARE = 1 / 10;
const MAX_DELAY_MS = 250;

/** Does the work once for all requests of a few milliseconds, and less often the longer it takes. */
export function coalesce(work: () => void): Coalesced {
  let timer: NodeJS.Timeout | undefined;
  let rested = 0;
  return {
    request() {
      if (timer) return;
      const delay = Math.max(GATHER_MS, rested - performance.now());
      timer = setTimeout(() => {
        timer = undefined;
        const start = performance.now();
        work();
        const end = performance.now();
        rested = end + Math.min((end - start) / SHARE, MAX_DELAY_MS);
      }, delay).unref();
    },
    close() {
      clearTimeout(timer);
    },
  };
}
