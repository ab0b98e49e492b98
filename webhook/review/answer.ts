import type { Admission } from "../admission/admit.ts";
import type { Operation } from "../admission/patch.ts";
import { isSilent, type Seen, sentence, shown, type UndecidedCode, warning } from "../admission/reasons.ts";
import { ADMISSION_VERSION } from "./review.ts";

/** The one place where an answer is put together: always allowed, always with the request's uid. */
function envelope(
  uid: string,
  code: string,
  message: string,
  patch: readonly Operation[],
  warnings: readonly string[],
) {
  return {
    apiVersion: ADMISSION_VERSION,
    kind: "AdmissionReview",
    response: {
      uid,
      allowed: true,
      ...(patch.length > 0 && {
        patchType: "JSONPatch",
        patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
      }),
      ...(warnings.length > 0 && { warnings }),
      // The API server puts the webhook's name in front of the keys.
      auditAnnotations: { reason: code, message },
    },
  };
}

export type Answer = ReturnType<typeof envelope>;

export function decided(uid: string, { decision, message, patch, warnings }: Admission): Answer {
  return envelope(uid, decision.reason, message, patch, warnings);
}

/** For a request that came to no decision: the pod passes unchanged. */
export function undecided(uid: string, code: UndecidedCode, seen: Seen = {}): Answer {
  return envelope(uid, code, sentence(code, seen), [], isSilent(code) ? [] : [warning(code, seen)]);
}

export function malformed(uid: string, where: string, fault: string): Answer {
  return undecided(uid, "InvalidPod", { where: where.length <= 60 ? where : shown(where), fault });
}
