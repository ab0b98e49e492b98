import type { Log } from "../webhook/log.ts";
import { type FolderMaterial, readMaterial, warnOfOpenKeys, writeBundle, writeLeaf, writeNewCa } from "./files.ts";
import { issueCa, issueLeaf } from "./issue.ts";
import { canonicalNames, type Names } from "./names.ts";
import { planNext, type Step } from "./plan.ts";
import { entryOf, type Reason } from "./reasons.ts";
import { makeFolder, removeAbandoned } from "./write.ts";

/** More steps than any folder needs: whoever takes more is undone by another writer, or by a clock that jumps. */
const MOST_STEPS = 12;

export interface KeepOptions extends Names {
  readonly folder: string;
  readonly now: () => Date;
  readonly log: Log;
}

export interface KeepReport {
  /** What was done, in order; empty if all was well. */
  readonly steps: readonly { readonly kind: string; readonly reason: Reason }[];
  readonly caNotAfter: Date;
  readonly leafNotAfter: Date;
  /** When there is something to do again. */
  readonly lookAgain: Date;
}

/**
 * Brings a folder's `ca.crt` (the bundle, newest first), `ca.key`, `tls.crt` and `tls.key` to where the plan wants
 * them, from whatever is there: nothing, garbage, or what a crash left. One process should keep a folder; if two do,
 * each mends what the other spoiled.
 *
 * @throws Error with the path and a remedy if the folder cannot be read or written, or if a wanted name is none.
 */
export async function keepFolder({ folder, now, log, ...names }: KeepOptions): Promise<KeepReport> {
  const wanted = canonicalNames(names);
  await makeFolder(folder);
  await removeAbandoned(folder, now());
  const steps: { kind: string; reason: Reason }[] = [];
  while (steps.length < MOST_STEPS) {
    const material = await readMaterial(folder, now());
    const step = planNext(material, wanted, now());
    if (step.kind === "wait" && material.clean) {
      await warnOfOpenKeys(folder, log);
      const { caNotAfter, leafNotAfter, until } = step;
      return { steps, caNotAfter, leafNotAfter, lookAgain: until };
    }
    const { kind, reason } = step.kind === "wait" ? { kind: "clean-bundle", reason: "bundle-text" as const } : step;
    await perform(step, { folder, material, wanted, now: now() });
    const { sentence, routine } = entryOf(reason);
    log[routine ? "info" : "warn"]({ folder, step: kind, reason }, `certificates: ${kind} because ${sentence}`);
    steps.push({ kind, reason });
  }
  throw new Error(`${folder} did not come to rest after ${MOST_STEPS} steps: see that no other process writes there`);
}

interface Scene {
  readonly folder: string;
  readonly material: FolderMaterial;
  readonly wanted: Names;
  readonly now: Date;
}

async function perform(step: Step, { folder, material, wanted, now }: Scene): Promise<void> {
  switch (step.kind) {
    case "add-ca":
      return writeNewCa(folder, await issueCa({ now }), material.authorities);
    case "issue-leaf":
      return writeLeaf(folder, await issueLeaf({ ca: step.ca, ...wanted, now }));
    case "drop-ca": {
      const kept = material.authorities.filter((authority) => !step.dropped.includes(authority));
      return writeBundle(folder, kept);
    }
    case "wait":
      return writeBundle(folder, material.authorities);
  }
}
