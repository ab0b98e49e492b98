import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type ErrorCode, RequestError } from "./errors.ts";
import { short } from "./review/review.ts";
import type { Service } from "./service.ts";

/** Fastify's own refusals, by the code that says the same here. */
const OF_FASTIFY: ReadonlyMap<string, ErrorCode> = new Map([
  ["FST_ERR_CTP_BODY_TOO_LARGE", "BodyTooLarge"],
  ["FST_ERR_CTP_INVALID_MEDIA_TYPE", "UnsupportedMediaType"],
  ["FST_ERR_CTP_EMPTY_TYPE", "UnsupportedMediaType"],
]);

/** Gives every error a JSON body with a code, a sentence and what to do, and counts it. */
export function answerErrors(app: FastifyInstance, { log, metrics }: Service): void {
  const methods = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    methods.set(url, known);
  });

  // Before the body is read: what it holds does not matter to a path that does not take it.
  app.addHook("onRequest", async (request, reply) => {
    if (!request.is404) return;
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = methods.get(path);
    if (!allowed)
      throw new RequestError("NotFound", `there is no ${short(path)}; there are ${[...methods.keys()].join(", ")}`);
    const list = [...allowed].join(", ");
    reply.header("allow", list);
    throw new RequestError("MethodNotAllowed", `${path} takes ${list}, not ${request.method}`);
  });

  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const refusal = asRequestError(error);
    if (refusal) {
      metrics.requestErrors.inc({ code: refusal.code });
      return answer(reply, refusal);
    }
    metrics.internalErrors.inc();
    log.error({ err: error, method: request.method, url: request.url }, "a request failed");
    return answer(reply, new RequestError("InternalError", "the service failed to answer"));
  });
}

/** For Fastify's `frameworkErrors`: a request that it refuses before it looks for a route, such as a broken URL. */
export function refuseEarly(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  answer(reply, asRequestError(error) ?? new RequestError("BadRequest", error.message));
}

/** What Node's HTTP parser refuses, by the code that says so here. */
const OF_NODE: ReadonlyMap<string, ErrorCode> = new Map([
  ["HPE_HEADER_OVERFLOW", "HeadersTooLarge"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "RequestTimeout"],
]);

/** For Fastify's `clientErrorHandler`: bytes that are no HTTP request are answered by hand, there is no reply yet. */
export function refuseBytes(error: Error & { readonly code?: string }, socket: Socket): void {
  if (socket.writable && error.code !== "ECONNRESET") {
    const refusal = new RequestError(
      OF_NODE.get(error.code ?? "") ?? "BadRequest",
      `the request cannot be read: ${error.code}`,
    );
    const body = JSON.stringify(refusal.body);
    socket.write(
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy(error);
}

function answer(reply: FastifyReply, refusal: RequestError): FastifyReply {
  return reply.code(refusal.status).type("application/json").send(refusal.body);
}

function asRequestError(error: FastifyError): RequestError | undefined {
  if (error instanceof RequestError) return error;
  const code = OF_FASTIFY.get(error.code);
  if (code) return new RequestError(code, error.message);
  const { statusCode } = error;
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  return new RequestError("BadRequest", error.message);
}
