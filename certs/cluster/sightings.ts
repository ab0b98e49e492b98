/**
 * When this process first saw something, by its own clock: what another process wrote down may be of a clock that is
 * off. A process that starts begins anew, which only makes it wait for longer.
 */
export interface Sightings {
  /** When `what` was first seen, which is now if it never was. */
  since(what: string, now: Date): Date;
}

export function createSightings(): Sightings {
  const seen = new Map<string, Date>();
  return {
    since(what, now) {
      const before = seen.get(what);
      // A sighting in the future is of a clock that was put back since.
      if (before && before <= now) return before;
      seen.set(what, now);
      return now;
    },
  };
}
