/** Gives up waiting, for one of several reasons. */
export interface Deadline {
  /** Aborted with an Error that says why. */
  readonly signal: AbortSignal;
  /** Begins to wait, or begins anew. */
  wait(milliseconds: number, why: string): void;
  /** Ends the waiting; the other signals count no more. */
  done(): void;
}

/** A deadline that passes too when one of the signals is aborted. */
export function createDeadline(signals: readonly (AbortSignal | undefined)[]): Deadline {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const given = signals.filter((signal) => signal !== undefined);
  const follow = () => controller.abort(given.find(({ aborted }) => aborted)?.reason);
  for (const signal of given) {
    if (signal.aborted) follow();
    else signal.addEventListener("abort", follow, { once: true });
  }
  return {
    signal: controller.signal,
    wait(milliseconds, why) {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(new Error(why)), milliseconds);
    },
    done() {
      clearTimeout(timer);
      for (const signal of given) signal.removeEventListener("abort", follow);
    },
  };
}
