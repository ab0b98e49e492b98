/** Does the same work again and again, never twice at a time. */
export interface Rounds {
  /** Brings the next round forward, to so many milliseconds from now. */
  within(milliseconds: number): void;
  /** Resolves when the first round is over. */
  readonly first: Promise<void>;
}

/**
 * Runs `round` at once, and then each time after as many milliseconds as it has returned; sooner where asked. What is
 * asked for during a round counts after it. Ends when the signal is aborted.
 */
export function runRounds(round: () => Promise<number>, signal: AbortSignal): Rounds {
  const { promise: first, resolve } = Promise.withResolvers<void>();
  let next = Number.POSITIVE_INFINITY;
  let running = false;
  let timer: NodeJS.Timeout | undefined;

  const within = (milliseconds: number) => {
    next = Math.min(next, performance.now() + milliseconds);
    if (running || signal.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(run, Math.max(0, next - performance.now()));
    timer.unref();
  };
  const run = async () => {
    running = true;
    next = Number.POSITIVE_INFINITY;
    const pause = await round();
    running = false;
    resolve();
    within(pause);
  };

  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  void run();
  return { within, first };
}
