import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { hostname } from "node:os";

/**
 * The smallest webhook there is, for trying the cluster itself: it warns, and annotates the pod.
 *
 *   node echo-webhook.ts FOLDER    (with tls.crt and tls.key in it)
 */
const [folder = "."] = process.argv.slice(2);
const cert = readFileSync(`${folder}/tls.crt`);
const key = readFileSync(`${folder}/tls.key`);
const name = process.env.POD_NAME ?? hostname();

const server = createServer({ cert, key }, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    if (request.url === "/readyz") {
      response.end("ok");
      return;
    }
    const { apiVersion, kind, request: review } = JSON.parse(Buffer.concat(parts).toString());
    const value = { ...review.object.metadata.annotations, "echo.test/by": name };
    const patch = Buffer.from(JSON.stringify([{ op: "add", path: "/metadata/annotations", value }]));
    const answer = {
      allowed: true,
      patchType: "JSONPatch",
      patch: patch.toString("base64"),
      warnings: ["echo: hello"],
    };
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ apiVersion, kind, response: { uid: review.uid, ...answer, auditAnnotations: { by: name } } }),
    );
  });
});
server.listen(8443, () => console.log(`${name} listens`));
process.on("SIGTERM", () => process.exit(0));
