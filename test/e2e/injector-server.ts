import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { isDeepStrictEqual } from "node:util";
import type { V1Pod } from "@kubernetes/client-node";
import { injectSidecar } from "../standins/istio-injector.ts";

/**
 * The stand-in for Istio's injector, as a webhook. Whatever it is asked about, it makes its own containers anew and
 * puts them in front, each time.
 *
 *   node injector-server.ts FOLDER    (with tls.crt and tls.key in it)
 */
const [folder = "."] = process.argv.slice(2);
const tls = { cert: readFileSync(`${folder}/tls.crt`), key: readFileSync(`${folder}/tls.key`) };

const server = createServer(tls, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { apiVersion, kind, request: review } = JSON.parse(Buffer.concat(parts).toString());
    const pod: V1Pod = review.object;
    const { spec } = injectSidecar(pod);
    const patch = Buffer.from(JSON.stringify([{ op: "replace", path: "/spec", value: spec }])).toString("base64");
    const answer = isDeepStrictEqual(spec, pod.spec) ? {} : { patchType: "JSONPatch", patch };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ apiVersion, kind, response: { uid: review.uid, allowed: true, ...answer } }));
  });
});
server.listen(8443);
