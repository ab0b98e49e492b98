import type { Log } from "../webhook/log.ts";

/** Two files are changed one after the other: what is wrong between them is right at the next look. */
const LOOKS = 2;

export interface FaultMemory {
  /** `timed` says that this is a look by the clock, and not one that a change brought about. */
  found(detail: string, timed: boolean): void;
  gone(): void;
  current(): string | undefined;
  /** Whether the fault has been there for long enough to be no passing one. */
  lasting(): boolean;
}

/** Remembers what is wrong with the files, and logs each distinct fault once, when it lasts. */
export function rememberFaults(log: Log): FaultMemory {
  let fault: { readonly detail: string; readonly looks: number } | undefined;
  const lasting = () => fault !== undefined && fault.looks >= LOOKS;
  return {
    found(detail, timed) {
      const before = fault?.detail === detail ? fault.looks : 0;
      fault = { detail, looks: before + (timed ? 1 : 0) };
      if (before < LOOKS && lasting()) log.warn(`certificates: the last good pair stays in force: ${detail}`);
    },
    gone() {
      if (lasting()) log.info("certificates: the files are in order again");
      fault = undefined;
    },
    current: () => fault?.detail,
    lasting,
  };
}
