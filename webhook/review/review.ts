import { isObject, type Json } from "../admission/json.ts";
import type { Pod } from "../admission/pod.ts";
import { RequestError } from "../errors.ts";
import { readPod } from "./pod-schema.ts";

/** An AdmissionReview as far as it can be answered; what cannot be answered is a RequestError. */
export type Review =
  | { readonly kind: "creation"; readonly uid: string; readonly namespace: string; readonly pod: Pod }
  | { readonly kind: "other"; readonly uid: string }
  | { readonly kind: "malformed"; readonly uid: string; readonly where: string; readonly fault: string };

export const ADMISSION_VERSION = "admission.k8s.io/v1";

/** A review that can be answered: it has a uid. */
export interface Envelope {
  readonly uid: string;
  readonly request: Json;
}

/** Reads an AdmissionReview (admission.k8s.io/v1). */
export function readReview(body: unknown): Review {
  return readRequest(readEnvelope(body));
}

/** As far as its uid. @throws RequestError where there is none to answer to */
export function readEnvelope(body: unknown): Envelope {
  if (!isObject(body) || body.kind !== "AdmissionReview") {
    throw new RequestError("NotAnAdmissionReview", `the body is ${describe(body)}, not an AdmissionReview`);
  }
  if (body.apiVersion !== ADMISSION_VERSION) {
    throw new RequestError("UnsupportedVersion", `apiVersion is ${short(body.apiVersion)}, not "${ADMISSION_VERSION}"`);
  }
  const { request } = body;
  if (!isObject(request)) throw new RequestError("MissingRequest", `request is ${short(request)}, not an object`);
  const { uid } = request;
  if (typeof uid !== "string" || uid === "") {
    throw new RequestError("MissingUid", `request.uid is ${short(uid)}, not a text`);
  }
  return { uid, request };
}

/** What is asked. A pod that is malformed is part of the answer, not an error. */
export function readRequest({ uid, request }: Envelope): Review {
  const { kind, namespace, object, operation, subResource } = request;
  if (!isObject(kind)) return { kind: "malformed", uid, where: "request.kind", fault: "must be object" };
  const isPod = kind.kind === "Pod" && (kind.group ?? "") === "";
  if (!isPod || operation !== "CREATE" || (subResource ?? "") !== "") return { kind: "other", uid };
  if ((namespace ?? "") !== "" && typeof namespace !== "string") {
    return { kind: "malformed", uid, where: "request.namespace", fault: "must be string" };
  }
  const reading = readPod(object);
  if (!reading.ok) {
    const where = reading.where === "object" ? "request.object" : `request.object.${reading.where}`;
    return { kind: "malformed", uid, where, fault: reading.fault };
  }
  return { kind: "creation", uid, namespace: namespaceOf(namespace, object), pod: reading.pod };
}

/** A request names the namespace; a review written by hand may leave that to the pod. */
function namespaceOf(requested: unknown, object: unknown): string {
  if (typeof requested === "string" && requested !== "") return requested;
  const metadata = isObject(object) ? object.metadata : undefined;
  const own = isObject(metadata) ? metadata.namespace : undefined;
  return typeof own === "string" && own !== "" ? own : "default";
}

function describe(body: unknown): string {
  if (isObject(body)) return body.kind === undefined ? "an object without kind" : `of kind ${short(body.kind)}`;
  return Array.isArray(body) ? "a list" : short(body);
}

/** A value from a request, as an error message can show it. */
export function short(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
