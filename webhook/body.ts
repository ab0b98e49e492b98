import type { FastifyInstance } from "fastify";
import { RequestError } from "./errors.ts";

/** Lets the listener's routes take bodies of these media types, as the bytes that were sent. */
export function takeBodies(app: FastifyInstance, mediaTypes: readonly string[]): void {
  app.addContentTypeParser([...mediaTypes], { parseAs: "buffer" }, (request, body, done) => {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding === "identity") done(null, body);
    else done(new RequestError("UnsupportedMediaType", `the body is encoded as ${encoding}; send it as it is`));
  });
  app.addContentTypeParser("*", (request, _payload, done) => {
    const found = request.headers["content-type"] ?? "none";
    done(new RequestError("UnsupportedMediaType", `the content type is ${found}; taken is ${mediaTypes.join(", ")}`));
  });
}
