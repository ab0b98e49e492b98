import type { FastifyInstance } from "fastify";
import type { Pod } from "./admission/pod.ts";
import { isSilent } from "./admission/reasons.ts";
import { takeBodies } from "./body.ts";
import { type Answer, decided, malformed, undecided } from "./review/answer.ts";
import { forbiddenKeyIn, parseJson } from "./review/json.ts";
import { type Review, readEnvelope, readRequest } from "./review/review.ts";
import type { Service } from "./service.ts";

/** `POST /mutate`: an AdmissionReview in, an AdmissionReview out. It never denies a pod. */
export function routeMutate(app: FastifyInstance, service: Service): void {
  takeBodies(app, ["application/json"]);
  app.post("/mutate", async (request) => {
    const { metrics } = service;
    const end = metrics.duration.startTimer();
    const answer = answerReview(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0), service);
    const { auditAnnotations, patch } = answer.response;
    metrics.admissions.inc({ reason: auditAnnotations.reason, patched: `${patch !== undefined}` });
    end();
    return answer;
  });
}

function answerReview(body: Buffer, service: Service): Answer {
  const parsed = parseJson(body);
  const envelope = readEnvelope(parsed);
  const { uid } = envelope;
  try {
    const forbidden = forbiddenKeyIn(body, parsed);
    if (forbidden !== undefined) return malformed(uid, forbidden, "is a key that no object may have");
    return answerRead(readRequest(envelope), service);
  } catch (error) {
    // Whatever it was, the pod must not suffer for it.
    service.metrics.internalErrors.inc();
    service.log.error({ err: error, uid }, "an admission failed; the pod passes unchanged");
    return undecided(uid, "InternalError");
  }
}

function answerRead(review: Review, { admit, settings, mesh, version, log }: Service): Answer {
  if (review.kind === "other") return undecided(review.uid, "NotApplicable");
  if (review.kind === "malformed") {
    const { uid, where, fault } = review;
    log.warn({ uid, where, fault }, "a malformed pod passes unchanged");
    return malformed(uid, where, fault);
  }
  const { uid, namespace, pod } = review;
  const admission = admit({ pod, namespace, mesh: mesh.state, settings: settings.current }, version);
  const { decision, message, patch, notices } = admission;
  const silent = decision.outcome === "leave" && isSilent(decision.reason);
  log[silent ? "debug" : "info"](
    {
      uid,
      namespace,
      pod: podName(pod),
      reason: decision.reason,
      message,
      operations: patch.length,
      ...(notices.length > 0 && { notices: notices.map(({ code }) => code) }),
    },
    "admission",
  );
  return decided(uid, admission);
}

/** A controller's pod has no name yet, but the beginning of one. */
function podName({ metadata }: Pod): string {
  return metadata?.name || `${metadata?.generateName ?? ""}*`;
}
