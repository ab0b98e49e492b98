import type { FastifyError, FastifyInstance } from "fastify";
import { type ErrorCode, RequestError } from "./errors.ts";
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

  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = methods.get(path);
    if (!allowed)
      throw new RequestError("NotFound", `there is no ${path}; there are ${[...methods.keys()].join(", ")}`);
    const list = [...allowed].join(", ");
    reply.header("allow", list);
    throw new RequestError("MethodNotAllowed", `${path} takes ${list}, not ${request.method}`);
  });

  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const refusal = asRequestError(error);
    if (refusal) {
      metrics.requestErrors.inc({ code: refusal.code });
      return reply.code(refusal.status).type("application/json").send(refusal.body);
    }
    metrics.internalErrors.inc();
    log.error({ err: error, method: request.method, url: request.url }, "a request failed");
    const internal = new RequestError("InternalError", "the service failed to answer");
    return reply.code(internal.status).type("application/json").send(internal.body);
  });
}

function asRequestError(error: FastifyError): RequestError | undefined {
  if (error instanceof RequestError) return error;
  const code = OF_FASTIFY.get(error.code);
  if (code) return new RequestError(code, error.message);
  const { statusCode } = error;
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  return new RequestError("BadRequest", error.message);
}
