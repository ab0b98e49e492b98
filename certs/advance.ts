import { issueCa, issueLeaf } from "./issue.ts";
import type { Names } from "./names.ts";
import { type Material, planNext } from "./plan.ts";
import type { Reason } from "./reasons.ts";

/** More steps than any material needs. */
const MOST_STEPS = 12;

export interface Advanced {
  readonly material: Material;
  /** What was done, in order; empty if all was well. */
  readonly steps: readonly { readonly kind: string; readonly reason: Reason }[];
}

/**
 * Takes every step that the plan wants now, in memory, so that the outcome can be written at once. The plan itself
 * sees to it that a new CA and the first leaf to use it are never in one outcome while an older leaf serves.
 *
 * @throws Error if a wanted name is none.
 */
export async function advance(start: Material, wanted: Names, now: Date): Promise<Advanced> {
  let material = start;
  const steps: { kind: string; reason: Reason }[] = [];
  while (steps.length < MOST_STEPS) {
    const step = planNext(material, wanted, now);
    if (step.kind === "wait") return { material, steps };
    steps.push({ kind: step.kind, reason: step.reason });
    switch (step.kind) {
      case "add-ca": {
        const older = material.authorities.map(({ cert }) => ({ cert }));
        material = { ...material, authorities: [await issueCa({ now }), ...older], publishedAt: now };
        break;
      }
      case "issue-leaf":
        material = { ...material, leaf: { ...(await issueLeaf({ ca: step.ca, ...wanted, now })), changedAt: now } };
        break;
      case "drop-ca": {
        const kept = material.authorities.filter((authority) => !step.dropped.includes(authority));
        material = { ...material, authorities: kept };
        break;
      }
    }
  }
  throw new Error(`the certificates did not come to rest after ${MOST_STEPS} steps: please report it`);
}
