export interface Pauses {
  /** The next pause in milliseconds: twice the last, half of it left to chance, so that replicas do not keep step. */
  next(): number;
  reset(): void;
}

/** Pauses after failures, from `firstMs` up to `longestMs`. */
export function createPauses(firstMs: number, longestMs: number): Pauses {
  let length = firstMs;
  return {
    next() {
      const pause = length * (0.5 + Math.random() / 2);
      length = Math.min(2 * length, longestMs);
      return pause;
    },
    reset() {
      length = firstMs;
    },
  };
}
