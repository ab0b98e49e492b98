import { readFileSync } from "node:fs";
import jsonPatch from "fast-json-patch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { post } from "../http-client.ts";
import { askingPod, type Running, review, startService } from "./scene.ts";

let service: Running;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const explain = (body: unknown, type = "application/json", query = "") =>
  post(`${service.config}/explain${query}`, body, { headers: { "content-type": type } });

const { metadata, spec } = askingPod();
const template = { metadata: { annotations: metadata.annotations }, spec };
const named = (kind: string, fields: object) => ({ apiVersion: "v1", kind, metadata: { name: "shop" }, spec: fields });
const deployment = named("Deployment", { template });

describe("what is explained", () => {
  it.each([
    ["Pod", { ...askingPod(), metadata: { ...metadata, name: "shop" } }],
    ["Deployment", deployment],
    ["StatefulSet", named("StatefulSet", { template })],
    ["DaemonSet", named("DaemonSet", { template })],
    ["ReplicaSet", named("ReplicaSet", { template })],
    ["ReplicationController", named("ReplicationController", { template })],
    ["Job", named("Job", { template })],
    ["CronJob", named("CronJob", { jobTemplate: { spec: { template } } })],
  ])("a %s, in JSON and in YAML", async (kind, object) => {
    const { status, json } = await explain(object);
    expect(status).toBe(200);
    expect(json).toMatchObject({ kind, name: "shop", namespace: "default", decision: "injected", reason: "Injected" });
    expect(json.pod.spec.initContainers[0].name).toBe("smc-init");
    expect((await explain(stringify(object), "application/yaml")).json).toEqual(json);
  });

  it("an AdmissionReview, with the same decision and patch as /mutate", async () => {
    const body = review(askingPod());
    const { json } = await explain(body);
    const answer = await post(`${service.admission}/mutate`, body);
    expect(json.reason).toBe(answer.json.response.auditAnnotations.reason);
    expect(json.patch).toEqual(JSON.parse(Buffer.from(answer.json.response.patch, "base64").toString("utf8")));
    expect(json.pod).toEqual(jsonPatch.applyPatch(askingPod(), json.patch, true, false).newDocument);
  });

  it("a review of something else than a pod's creation", async () => {
    const { json } = await explain(review(askingPod(), { operation: "UPDATE" }));
    expect(json).toMatchObject({ decision: "unchanged", reason: "NotApplicable", patch: [] });
  });

  it("a List, each object by itself, bad ones too", async () => {
    const bad = named("Deployment", { template: "x" });
    const { json } = await explain({
      kind: "List",
      items: [deployment, { kind: "Service", metadata: { name: "s" } }, bad, 3],
    });
    expect(json.items).toMatchObject([
      { kind: "Deployment", reason: "Injected" },
      { kind: "Service", name: "s", error: { code: "UnknownKind" } },
      { kind: "Deployment", error: { code: "InvalidObject", message: expect.stringContaining("spec.template") } },
      { error: { code: "InvalidObject" } },
    ]);
  });

  it("the sample application, as curl --data-binary sends it", async () => {
    const file = readFileSync(new URL("../../manifests/samples/fortio/fortio.yaml", import.meta.url));
    const { json } = await explain(file, "application/x-www-form-urlencoded");
    const pods = json.items.filter((item: { reason?: string }) => item.reason !== undefined);
    expect(pods.map(({ name, reason }: { name: string; reason: string }) => [name, reason])).toEqual([
      ["fortioserver", "Injected"],
      ["fortioclient", "Injected"],
    ]);
  });
});

describe("an explanation", () => {
  it("says reason, sentence and remedy where the pod is left alone", async () => {
    const { json } = await explain(named("Deployment", { template: { spec } }));
    expect(json).toMatchObject({ decision: "unchanged", reason: "NotRequested", patch: [], warnings: [] });
    expect(json.message).toMatch(/does not ask/);
    expect(json.remedy).toMatch(/smc.asm.alibabacloud.com\/enabled/);
  });

  it("gives notices their remedies", async () => {
    const { json } = await explain(askingPod());
    expect(json.notices).toEqual([
      { code: "NoSidecar", message: expect.stringContaining("istio-proxy"), remedy: expect.any(String) },
    ]);
    expect(json.warnings).toHaveLength(1);
  });

  it("takes the namespace from the object, else from the query, else default", async () => {
    const elsewhere = { ...deployment, metadata: { name: "shop", namespace: "own" } };
    expect((await explain(elsewhere, "application/json", "?namespace=query")).json.namespace).toBe("own");
    const { json } = await explain(deployment, "application/json", "?namespace=query");
    expect(json).toMatchObject({ namespace: "query", reason: "NamespaceNotEnabled" });
  });
});

describe("what cannot be explained is refused, and told why", () => {
  const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
  it.each([
    [
      "YAML that does not parse, with its line",
      "kind: Pod\nspec: [",
      "application/yaml",
      400,
      "InvalidYaml",
      /^line 2: /,
    ],
    [
      "a key that stands twice",
      "kind: Pod\nspec: {}\nkind: Job\n",
      "application/yaml",
      400,
      "InvalidYaml",
      /^line 3: .*"kind"/,
    ],
    ["JSON that does not parse", "{", "application/json", 400, "InvalidJson", /not JSON/],
    ["nothing", "", "application/json", 400, "InvalidJson", /no body/],
    ["YAML without an object", "# nothing\n", "application/yaml", 400, "InvalidObject", /no object/],
    ["a text", '"pod"', "application/json", 400, "InvalidObject", /"pod"/],
    ["a kind that makes no pods", '{"kind":"Service"}', "application/json", 400, "UnknownKind", /"Service"/],
    ["an object without kind", "{}", "application/json", 400, "InvalidObject", /kind is missing/],
    [
      "a Deployment without template",
      '{"kind":"Deployment"}',
      "application/json",
      400,
      "InvalidObject",
      /spec.template/,
    ],
    [
      "an annotation without quotes, with its path",
      "kind: Deployment\nspec: {template: {metadata: {annotations: {smc.asm.alibabacloud.com/enabled: true}}, spec: {containers: []}}}",
      "application/yaml",
      400,
      "InvalidObject",
      /spec\.template\.metadata\.annotations\["smc.asm.alibabacloud.com\/enabled"\] must be string/,
    ],
    ["__proto__", '{"kind":"Pod","__proto__":{}}', "application/json", 400, "InvalidObject", /__proto__/],
    [
      "an object nested too deep",
      `{"kind":"Pod","spec":${deep}}`,
      "application/json",
      400,
      "InvalidObject",
      /500 levels/,
    ],
    ["YAML nested too deep", `kind: ${deep}`, "application/yaml", 400, "InvalidYaml", /./],
    ["too much YAML", `a: ${"x".repeat(1024 * 1024)}`, "application/yaml", 413, "BodyTooLarge", /1024 KiB/],
    ["an image", "x", "image/png", 415, "UnsupportedMediaType", /image\/png/],
  ])("%s", async (_what, body, type, status, code, message) => {
    const answer = await explain(body, type);
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({ code, message: expect.stringMatching(message), remedy: expect.any(String) });
  });

  it("YAML whose aliases would grow without end", async () => {
    const lines = ["kind: Pod", "a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    expect((await explain(lines.join("\n"), "application/yaml")).json.code).toBe("InvalidYaml");
  });

  it("more objects than can be judged in passing", async () => {
    const list = await explain({ kind: "List", items: Array(501).fill(deployment) });
    expect([list.status, list.json.code]).toEqual([413, "BodyTooLarge"]);
    const documents = await explain("---\na: 1\n".repeat(501), "application/yaml");
    expect([documents.status, documents.json.code]).toEqual([413, "BodyTooLarge"]);
  });

  it("YAML that is made to be slow; admissions do not wait for it", { timeout: 30_000 }, async () => {
    let ended = false;
    const slow = explain("[".repeat(1_000_000), "application/yaml").finally(() => {
      ended = true;
    });
    const waits: number[] = [];
    while (!ended) {
      const began = performance.now();
      await post(`${service.admission}/mutate`, review(askingPod()));
      waits.push(performance.now() - began);
    }
    expect((await slow).status).toBeLessThan(500);
    expect(waits.length).toBeGreaterThan(3);
    expect(Math.max(...waits)).toBeLessThan(3000);
  });
});
