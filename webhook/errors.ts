/**
 * Every error that the service answers with: its code, its HTTP status, a sentence and what to do. The body is
 * `{"code", "message", "remedy"}`.
 */
const ERRORS = {
  InvalidJson: { status: 400, remedy: "Send one JSON document in UTF-8." },
  InvalidYaml: { status: 400, remedy: "Send YAML or JSON, as kubectl apply would take it." },
  NotAnAdmissionReview: { status: 400, remedy: 'Send an object with kind "AdmissionReview".' },
  UnsupportedVersion: { status: 400, remedy: 'Send apiVersion "admission.k8s.io/v1".' },
  MissingRequest: { status: 400, remedy: "An AdmissionReview must have an object named request." },
  MissingUid: { status: 400, remedy: "request.uid must be a text that is not empty: the answer repeats it." },
  InvalidObject: { status: 400, remedy: "Correct the object; kubectl explain KIND says what it may hold." },
  UnknownKind: {
    status: 400,
    remedy:
      "Send a Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job, CronJob, List or AdmissionReview.",
  },
  BadRequest: { status: 400, remedy: "Correct the request." },
  NotFound: { status: 404, remedy: "See the list of paths in the message." },
  MethodNotAllowed: { status: 405, remedy: "Use a method of the Allow header." },
  RequestTimeout: { status: 408, remedy: "Send the request faster, or a smaller one." },
  BodyTooLarge: { status: 413, remedy: "Send less; an object of a cluster has at most 1.5 MiB." },
  UnsupportedMediaType: { status: 415, remedy: "Send the content type that the message names." },
  Busy: { status: 429, remedy: "Send it again in a few seconds." },
  HeadersTooLarge: { status: 431, remedy: "Send fewer or shorter headers: 16 KiB in all." },
  InternalError: { status: 500, remedy: "The service's log has the cause. Please report it." },
} as const satisfies Record<string, { readonly status: number; readonly remedy: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error for the client. Anything else that is thrown is a defect of ours. */
export class RequestError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = "RequestError";
    this.code = code;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get body(): { readonly code: ErrorCode; readonly message: string; readonly remedy: string } {
    return { code: this.code, message: this.message, remedy: ERRORS[this.code].remedy };
  }
}
