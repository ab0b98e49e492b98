import { canonicalPatch } from "./canonical.ts";
import { type Decision, decide, type Question } from "./decide.ts";
import { findings } from "./findings.ts";
import { type Notice, notices } from "./notices.ts";
import type { Operation } from "./patch.ts";
import { isSilent, sentence, warning } from "./reasons.ts";

/** What comes of a pod: the decision, and all that follows from it. */
export interface Admission {
  readonly decision: Decision;
  /** The decision's reason as a sentence, with what was seen. */
  readonly message: string;
  /** Empty where the pod is left alone, and where it is right already. */
  readonly patch: readonly Operation[];
  /** For the pod's author, each at most 120 characters. */
  readonly warnings: readonly string[];
  readonly notices: readonly Notice[];
}

/** Four thousand characters is all that an answer's warnings may have together. */
const MAX_WARNINGS = 10;

/**
 * Decides on a pod that is about to be created, and says what to do to it. Pure: the same question, the same answer.
 * @param version of the webhook, for the status annotation
 */
export function admit(question: Question, version: string): Admission {
  const { pod, settings } = question;
  const decision = decide(question);
  if (decision.outcome === "leave") {
    const { reason, seen } = decision;
    const warnings = isSilent(reason) ? [] : [warning(reason, seen)];
    return { decision, message: sentence(reason, seen), patch: [], warnings, notices: [] };
  }
  const found = findings(pod, settings);
  const told = notices(found, settings);
  return {
    decision,
    message: sentence(decision.reason),
    patch: canonicalPatch(found, settings, version),
    warnings: told.slice(0, MAX_WARNINGS).map(({ code, seen }) => warning(code, seen)),
    notices: told,
  };
}
