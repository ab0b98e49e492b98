import type { Log } from "../webhook/log.ts";
import type { KeepReport } from "./folder.ts";

const HOUR_MS = 3_600_000;
/** After a failure, and after somebody else has changed the folder. */
const SOON_MS = 60_000;

export interface Renewal {
  /** Whether it is time. `faulty` says that the folder's pair cannot be served, which does not wait. */
  due(faulty: boolean): boolean;
  /** Keeps the folder. A failure is logged, once for each distinct one, and tried again a minute later. */
  run(): Promise<void>;
  /** Brings the next run forward to within a minute. */
  soon(): void;
  /** Why the last run failed, if it did. */
  problem(): string | undefined;
}

interface RenewalOptions {
  readonly keep: () => Promise<KeepReport>;
  readonly now: () => Date;
  readonly log: Log;
}

/**
 * Runs `keep` when its last report says so, and every hour. The first run is made here.
 *
 * @throws Error what `keep` throws the first time.
 */
export async function startRenewal({ keep, now, log }: RenewalOptions): Promise<Renewal> {
  let ranAt = now().getTime();
  let next = ranAt;
  let problem: string | undefined;

  const runOnce = async () => {
    const { lookAgain } = await keep();
    ranAt = now().getTime();
    next = Math.min(lookAgain.getTime(), ranAt + HOUR_MS);
  };
  await runOnce();

  return {
    due(faulty) {
      const time = now().getTime();
      // A clock that went back would make "next" mean nothing.
      return time >= next || time < ranAt || (faulty && problem === undefined);
    },
    async run() {
      try {
        await runOnce();
        problem = undefined;
      } catch (error) {
        ranAt = now().getTime();
        next = ranAt + SOON_MS;
        const message = error instanceof Error ? error.message : `${error}`;
        if (message !== problem) log.error({ err: error }, `certificates cannot be renewed: ${message}`);
        problem = message;
      }
    },
    soon() {
      next = Math.min(next, now().getTime() + SOON_MS);
    },
    problem: () => problem,
  };
}
