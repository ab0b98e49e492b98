import jsonPatch from "fast-json-patch";
import type { FastifyInstance } from "fastify";
import { isObject } from "../admission/json.ts";
import type { Pod } from "../admission/pod.ts";
import { CATALOGUE, sentence } from "../admission/reasons.ts";
import { takeBodies } from "../body.ts";
import { RequestError } from "../errors.ts";
import { readPod } from "../review/pod-schema.ts";
import { readReview, short } from "../review/review.ts";
import type { Service } from "../service.ts";
import { checkCount, parseDocuments, YAML_TYPES } from "./documents.ts";
import { readWorkload } from "./workload.ts";

/**
 * `POST /explain`: what would become of these pods, and why. A single object gets a single explanation; a List, or
 * YAML of several documents, gets `items`. It decides with the same function as `/mutate`.
 */
export function routeExplain(app: FastifyInstance, service: Service): void {
  takeBodies(app, ["application/json", ...YAML_TYPES]);
  app.post("/explain", async (request) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { namespace = "default" } = isObject(request.query) ? request.query : {};
    if (typeof namespace !== "string") throw new RequestError("BadRequest", "namespace is given more than once");
    const documents = await parseDocuments(body, request.headers["content-type"] ?? "");
    const [only, ...more] = documents;
    if (only === undefined) throw new RequestError("InvalidObject", "the body holds no object");
    if (more.length === 0 && !isList(only)) return explainOne(only, namespace, service);
    const objects = documents.flatMap((one) => (isList(one) ? one.items : [one]));
    checkCount(objects.length);
    return { items: objects.map((object) => explainItem(object, namespace, service)) };
  });
}

/** A List, or a typed one such as PodList. */
function isList(object: unknown): object is { readonly items: readonly unknown[] } {
  return (
    isObject(object) && typeof object.kind === "string" && object.kind.endsWith("List") && Array.isArray(object.items)
  );
}

/** In a list, one bad object must not hide what there is to say of the others. */
function explainItem(object: unknown, namespace: string, service: Service) {
  try {
    return explainOne(object, namespace, service);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const kind = isObject(object) ? object.kind : undefined;
    const metadata = isObject(object) && isObject(object.metadata) ? object.metadata : {};
    return { kind, name: metadata.name, error: error.body };
  }
}

function explainOne(object: unknown, namespace: string, service: Service) {
  if (isObject(object) && object.kind === "AdmissionReview") return explainReview(object, service);
  const workload = readWorkload(object, namespace);
  if (!workload) {
    const kind = isObject(object) ? short(object.kind) : short(object);
    throw new RequestError("UnknownKind", `an object of kind ${kind} makes no pods`);
  }
  const { kind, name, path } = workload;
  const reading = readPod(workload.pod);
  if (!reading.ok) {
    const where = [path, reading.where].filter((part) => part !== "").join(".");
    throw new RequestError("InvalidObject", `${kind} ${name}: ${where} ${reading.fault}`);
  }
  return { kind, name, ...explainPod(reading.pod, workload.namespace, service) };
}

function explainReview(object: unknown, service: Service) {
  const review = readReview(object);
  const kind = "AdmissionReview";
  if (review.kind === "creation")
    return { kind, name: review.uid, ...explainPod(review.pod, review.namespace, service) };
  if (review.kind === "malformed") throw new RequestError("InvalidObject", `${review.where} ${review.fault}`);
  const { remedy } = CATALOGUE.NotApplicable;
  const message = sentence("NotApplicable");
  return {
    kind,
    name: review.uid,
    decision: "unchanged",
    reason: "NotApplicable",
    message,
    remedy,
    warnings: [],
    notices: [],
    patch: [],
  };
}

function explainPod(pod: Pod, namespace: string, { admit, settings, mesh, version }: Service) {
  const { decision, message, patch, warnings, notices } = admit(
    { pod, namespace, mesh: mesh.state, settings: settings.current },
    version,
  );
  const operations = structuredClone(patch) as jsonPatch.Operation[];
  return {
    namespace,
    decision: decision.outcome === "inject" ? "injected" : "unchanged",
    reason: decision.reason,
    message,
    remedy: CATALOGUE[decision.reason].remedy,
    warnings,
    notices: notices.map(({ code, seen }) => ({ code, message: sentence(code, seen), remedy: CATALOGUE[code].remedy })),
    patch,
    pod: jsonPatch.applyPatch(pod, operations, false, false).newDocument,
  };
}
