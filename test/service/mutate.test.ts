import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { post, send } from "../http-client.ts";
import { askingPod, type Running, review, startService } from "./scene.ts";

let service: Running;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const mutate = (body: unknown, headers = {}) => post(`${service.admission}/mutate?timeout=5s`, body, { headers });
const patchOf = (answer: { json: { response: { patch: string } } }) =>
  JSON.parse(Buffer.from(answer.json.response.patch, "base64").toString("utf8"));

describe("an answer", () => {
  it("repeats version and uid, allows the pod, and carries a JSON patch in base64", async () => {
    const answer = await mutate(review(askingPod(), { uid: "a-b-c" }));
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(answer.json).toMatchObject({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: "a-b-c", allowed: true, patchType: "JSONPatch", auditAnnotations: { reason: "Injected" } },
    });
    expect(patchOf(answer)).toContainEqual(expect.objectContaining({ op: "add", path: "/spec/initContainers" }));
  });

  it("has neither patch nor warnings for a pod that does not ask", async () => {
    const { json } = await mutate(review({ spec: { containers: [] } }));
    expect(json.response).toEqual({
      uid: "7d1f",
      allowed: true,
      auditAnnotations: { reason: "NotRequested", message: expect.any(String) },
    });
  });

  it("warns whoever asked and does not get it", async () => {
    const { json } = await mutate(review(askingPod({ hostNetwork: true })));
    expect(json.response.warnings).toEqual([expect.stringMatching(/^HostNetwork: /)]);
  });

  it("is the same for a dry run", async () => {
    const [wet, dry] = await Promise.all([false, true].map((dryRun) => mutate(review(askingPod(), { dryRun }))));
    expect(dry?.json).toEqual(wet?.json);
  });

  it("takes a pod with neither name nor generateName nor namespace", async () => {
    const pod = { ...askingPod(), metadata: { annotations: askingPod().metadata.annotations } };
    expect((await mutate(review(pod))).json.response.auditAnnotations.reason).toBe("Injected");
  });

  it("takes a review of almost 7 MiB", async () => {
    const pod = askingPod({ containers: [{ name: "app", args: ["x".repeat(7 * 1024 * 1024 - 2000)] }] });
    const { json } = await mutate(review(pod));
    expect(json.response.auditAnnotations.reason).toBe("Injected");
  });
});

describe("what is no pod's creation passes untouched", () => {
  const service = { group: "", version: "v1", kind: "Service" };
  const foreign = { group: "example.com", version: "v1", kind: "Pod" };
  it.each([
    ["an UPDATE", { operation: "UPDATE" }],
    ["a DELETE, whose object is null", { operation: "DELETE", object: null }],
    ["a CONNECT", { operation: "CONNECT" }],
    ["another kind", { kind: service }],
    ["another group's Pod", { kind: foreign }],
    ["a subresource", { subResource: "ephemeralcontainers" }],
  ])("%s", async (_what, request) => {
    const { status, json } = await mutate(review(askingPod(), request));
    expect(status).toBe(200);
    expect(json.response).toEqual({
      uid: "7d1f",
      allowed: true,
      auditAnnotations: { reason: "NotApplicable", message: expect.any(String) },
    });
  });
});

describe("a request without a uid to answer to is refused, and told why", () => {
  const full = review(askingPod());
  const without = (key: string) => ({ ...full, request: { ...full.request, [key]: undefined } });
  it.each([
    ["text that is not JSON", "{", "InvalidJson", /not JSON/],
    ["nothing", "", "InvalidJson", /no body/],
    ["a list", [], "NotAnAdmissionReview", /a list/],
    ["null", "null", "NotAnAdmissionReview", /null/],
    ["a number", "7", "NotAnAdmissionReview", /7/],
    ["another kind", { kind: "Pod" }, "NotAnAdmissionReview", /"Pod"/],
    ["a wrong apiVersion", { ...full, apiVersion: "admission.k8s.io/v2" }, "UnsupportedVersion", /v2/],
    ["no apiVersion", { ...full, apiVersion: undefined }, "UnsupportedVersion", /missing/],
    ["no request", { ...full, request: undefined }, "MissingRequest", /missing/],
    ["a request that is a list", { ...full, request: [] }, "MissingRequest", /a list/],
    ["no uid", without("uid"), "MissingUid", /missing/],
    ["an empty uid", review({}, { uid: "" }), "MissingUid", /""/],
    ["a uid that is a number", review({}, { uid: 5 }), "MissingUid", /5/],
  ])("%s", async (_what, body, code, message) => {
    const answer = await mutate(body);
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ code, message: expect.stringMatching(message), remedy: expect.any(String) });
  });

  it("a body of more than 7 MiB", async () => {
    const answer = await mutate(review({ x: "y".repeat(7 * 1024 * 1024) }));
    expect([answer.status, answer.json.code]).toEqual([413, "BodyTooLarge"]);
  });

  it.each(["text/plain", "application/yaml", "application/jsonx", "nonsense", ""])("content type %j", async (type) => {
    const answer = await mutate(review(askingPod()), { "content-type": type });
    expect([answer.status, answer.json.code]).toEqual([415, "UnsupportedMediaType"]);
  });

  it("an encoded body", async () => {
    const answer = await mutate(review(askingPod()), { "content-encoding": "gzip" });
    expect([answer.status, answer.json.code]).toEqual([415, "UnsupportedMediaType"]);
  });

  it.each(["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])("method %s", async (method) => {
    const answer = await send(`${service.admission}/mutate`, { method });
    expect([answer.status, answer.headers.allow, answer.json.code]).toEqual([405, "POST", "MethodNotAllowed"]);
  });

  it("an unknown path, with those that there are", async () => {
    const answer = await send(`${service.admission}/mutat`);
    expect([answer.status, answer.json.code]).toEqual([404, "NotFound"]);
    expect(answer.json.message).toContain("/mutate");
  });
});

describe("a malformed pod passes untouched, with a warning that says where", () => {
  const spec = (fields: object) => ({ ...askingPod(), spec: fields });
  it.each([
    ["a text where the pod belongs", "pod", "request.object must be object"],
    ["null where the pod belongs", null, "request.object must be object"],
    ["no spec", { metadata: {} }, "request.object must have required properties spec"],
    ["null containers", spec({ containers: null }), "request.object.spec.containers must be array"],
    ["a text for a list", spec({ containers: "c" }), "request.object.spec.containers must be array"],
    ["a null container", spec({ containers: [null] }), "request.object.spec.containers[0] must be object"],
    ["a container without name", spec({ containers: [{}] }), "request.object.spec.containers[0] must have"],
    ["a number for an annotation", { metadata: { annotations: { a: 1 } }, spec: { containers: [] } }, "annotations.a"],
    [
      "a text for a flag",
      spec({ containers: [], hostNetwork: "yes" }),
      "request.object.spec.hostNetwork must be boolean",
    ],
    ["a text for init containers", spec({ containers: [], initContainers: "x" }), "initContainers must be array"],
    ["a list for affinity", spec({ containers: [], affinity: [] }), "request.object.spec.affinity must be object"],
  ])("%s", async (_what, object, where) => {
    const { status, json } = await mutate(review(object));
    expect(status).toBe(200);
    expect(json.response).toMatchObject({ uid: "7d1f", allowed: true, auditAnnotations: { reason: "InvalidPod" } });
    expect(json.response.patch).toBeUndefined();
    expect(json.response.warnings[0]).toContain(where);
  });

  it.each([
    ["__proto__", '{"metadata":{"annotations":{"__proto__":"x"}},"spec":{"containers":[]}}'],
    ["an escaped __proto__", '{"metadata":{"\\u005f_proto__":{"polluted":true}},"spec":{"containers":[]}}'],
  ])("%s as a key", async (_what, object) => {
    const body = JSON.stringify(review(null)).replace('"object":null', `"object":${object}`);
    const { json } = await mutate(body);
    expect(json.response.allowed).toBe(true);
    expect(json.response.warnings[0]).toContain("__proto__");
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("a field that the decision does not read may be nested a thousand deep", async () => {
    const deep = `${'{"a":'.repeat(1000)}1${"}".repeat(1000)}`;
    const body = JSON.stringify(review(askingPod({ hostAliases: "deep" }))).replace('"deep"', deep);
    expect((await mutate(body)).json.response.auditAnnotations.reason).toBe("Injected");
  });

  it("a field that it reads may be nested a million deep", async () => {
    const deep = "[".repeat(1_000_000) + "]".repeat(1_000_000);
    const body = JSON.stringify(review(askingPod({ affinity: "deep" }))).replace('"deep"', deep);
    const { status, json } = await mutate(body);
    expect([status, json.response?.allowed ?? json.code]).toEqual([200, true]);
  });
});
