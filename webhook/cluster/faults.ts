import { ApiError } from "./api.ts";
import { property } from "./property.ts";

/** What went wrong below HTTP, by Node's and OpenSSL's codes, and what a person can do. */
const CAUSES: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused; nothing listens there: is the API server up, is the address right?"],
  ["ECONNRESET", "the connection was cut before the answer was complete"],
  ["EPIPE", "the connection was cut before the answer was complete"],
  ["ETIMEDOUT", "no connection; does a firewall or a NetworkPolicy stand in the way?"],
  ["EHOSTUNREACH", "no route to the host; does a firewall or a NetworkPolicy stand in the way?"],
  ["ENETUNREACH", "no route to the network; does a firewall or a NetworkPolicy stand in the way?"],
  ["ENOTFOUND", "the host name has no address; is it spelt right?"],
  ["EAI_AGAIN", "the host name cannot be looked up now; does DNS work?"],
  ["EPROTO", "no TLS could be agreed on; is this the API server's HTTPS port?"],
  ["CERT_HAS_EXPIRED", "the API server's certificate has expired"],
  ["CERT_NOT_YET_VALID", "the API server's certificate is not valid yet; is a clock wrong?"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "the API server's certificate is for another name than this address"],
  ...[
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "CERT_SIGNATURE_FAILURE",
  ].map((code) => [code, "the API server's certificate is not signed by the CA that these credentials name"] as const),
]);

/** What a person can do about an answer, by its status. */
const REMEDIES: ReadonlyMap<number, string> = new Map([
  [401, "the API server does not accept these credentials; is the token or the client certificate still good?"],
  [403, "grant it in RBAC"],
]);

/** Kubernetes' words for answers that come without a Status, as from a proxy. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "NotFound"],
  [409, "Conflict"],
  [410, "Expired"],
  [429, "TooManyRequests"],
]);

/** There is no answer, or only a part of one. `where` is the request: `GET https://10.0.0.1/api/v1/nodes`. */
export function connectionFault(where: string, error: unknown): Error {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const cause = CAUSES.get(code) ?? firstLine(error instanceof Error ? error.message : String(error));
  // The error itself is not handed on: some of Node's carry a whole certificate.
  return new Error(`${where}: ${cause}`);
}

/** An answer that is no success, as a sentence. */
export function answerFault(where: string, status: number, body: string): ApiError {
  return statusFault(where, status, parsed(body) ?? body.trim());
}

/** Kubernetes' Status, wherever it came from; `fallback` counts where it names no code of its own. */
export function statusFault(where: string, fallback: number, found: unknown): ApiError {
  const status = textOrNumber(found, "code") ?? fallback;
  const reason = textOrNumber(found, "reason") || REASONS.get(Number(status)) || "Unknown";
  const said = textOrNumber(found, "message") || (typeof found === "string" ? firstLine(found) : "");
  const sentence = [`${where}: ${status} ${reason}`, said, REMEDIES.get(Number(status))].filter(Boolean).join(": ");
  return new ApiError(Number(status), String(reason), sentence);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOrNumber(object: unknown, name: string): string | number | undefined {
  const value = property(object, name);
  return typeof value === "string" || typeof value === "number" ? value : undefined;
}

const MAX_SAID = 300;

/** Of a text that may be a page of HTML or a stack. */
const firstLine = (text: string): string => (text.split("\n", 1)[0] ?? "").slice(0, MAX_SAID);
