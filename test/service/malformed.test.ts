import { Agent } from "node:https";
import { connect } from "node:tls";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyEmbeddedMesh, type EmbeddedMesh } from "../demo/embedded-mesh.ts";
import { type Answer, post, send } from "../http-client.ts";
import { type ServerProcess, startServer } from "../server-process.ts";
import { askingPod, review } from "./scene.ts";

let mesh: EmbeddedMesh;
let server: ServerProcess;
beforeAll(async () => {
  mesh = await copyEmbeddedMesh();
  server = await startServer(mesh.settingsFile);
});
afterAll(async () => {
  await server.stop();
  await mesh.remove();
});

const REQUESTS = 10_000;
const PARALLEL = 32;
/** Resident memory after the storm, against before it: what the heap keeps for later is not lost. */
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;

const path = (...parts: string[]) => parts;
/** Places in a review where something else is put. */
const PLACES = [
  path("kind"),
  path("apiVersion"),
  path("request"),
  path("request", "uid"),
  path("request", "kind"),
  path("request", "kind", "kind"),
  path("request", "operation"),
  path("request", "namespace"),
  path("request", "object"),
  path("request", "object", "metadata"),
  path("request", "object", "metadata", "annotations"),
  path("request", "object", "metadata", "annotations", "smc.asm.alibabacloud.com/enabled"),
  path("request", "object", "metadata", "annotations", "smc.asm.alibabacloud.com/status"),
  path("request", "object", "spec"),
  path("request", "object", "spec", "containers"),
  path("request", "object", "spec", "containers", "0"),
  path("request", "object", "spec", "containers", "0", "resources"),
  path("request", "object", "spec", "initContainers"),
  path("request", "object", "spec", "affinity"),
  path("request", "object", "spec", "affinity", "nodeAffinity"),
  path("request", "object", "spec", "nodeSelector"),
  path("request", "object", "spec", "securityContext"),
];

const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, "", "x", 0, -1, 1e308, true, [], {}, [null], [[]], { name: 1 }),
  fc.json({ maxDepth: 3 }).map((text): unknown => JSON.parse(text)),
  fc.string({ unit: "binary", maxLength: 40 }),
);

const misplaced = fc.tuple(fc.constantFrom(...PLACES), odd).map(([parts, value]) => {
  const body: Record<string, unknown> = JSON.parse(JSON.stringify(review(askingPod())));
  let here: Record<string, unknown> = body;
  for (const part of parts.slice(0, -1)) {
    here[part] ??= {};
    here = here[part] as Record<string, unknown>;
  }
  here[parts.at(-1) ?? ""] = value;
  return JSON.stringify(body);
});
const whole = JSON.stringify(review(askingPod()));
const truncated = fc.nat(whole.length).map((length) => whole.slice(0, length));
const garbled = fc
  .tuple(fc.nat(whole.length - 1), fc.string({ minLength: 1, maxLength: 4 }))
  .map(([at, text]) => whole.slice(0, at) + text + whole.slice(at + text.length));
const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const deep = fc.nat(3000).map((depth) => `${'{"request":'.repeat(depth)}1${"}".repeat(depth)}`);

const storm = fc.record({
  body: fc.oneof(misplaced, misplaced, misplaced, truncated, garbled, noise, deep),
  method: fc.constantFrom("POST", "POST", "POST", "POST", "POST", "POST", "PUT", "PATCH", "DELETE"),
  type: fc.constantFrom(
    "application/json",
    "application/json",
    "application/json",
    "application/json",
    "text/plain",
    ";",
    "a/b",
  ),
  url: fc.constantFrom("/mutate", "/mutate", "/mutate", "/mutate?timeout=5s", "/mutate/", "/%", "/__proto__", "//"),
});

const metric = async (name: string) => {
  const { text } = await send(`${server.config}/metrics`);
  return Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
};

describe("ten thousand malformed requests", () => {
  it(
    "leave the server as it was: no answer of 500 or more, no restart, no memory kept",
    { timeout: 90_000 },
    async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL });
      const fire = async ({ body, method, type, url }: (typeof all)[number]) =>
        post(`${server.admission}${url}`, body, { method, headers: { "content-type": type }, agent });
      const all = fc.sample(storm, { numRuns: REQUESTS, seed: 20261123 });
      const warmUp = all.slice(0, 2000);
      await inParallel(warmUp, fire);
      const before = await metric("process_resident_memory_bytes");

      const statuses = new Map<number, number>();
      await inParallel(all, async (one) => {
        const answer = await fire(one);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        expectDefinite(answer);
      });
      agent.destroy();

      expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
      expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(REQUESTS);
      expect(statuses.size).toBeGreaterThanOrEqual(4);
      expect(server.process.exitCode).toBeNull();
      expect(await metric("smc_webhook_internal_errors_total")).toBe(0);
      expect((await metric("process_resident_memory_bytes")) - before).toBeLessThan(MAX_GROWTH_BYTES);
      expect((await post(`${server.admission}/mutate`, whole)).json.response.auditAnnotations.reason).toBe("Injected");
    },
  );
});

describe("bytes that are not HTTP", () => {
  it.each([
    ["noise", "\x00\x01\x02", 400],
    ["half a request line", "GET\r\n\r\n", 400],
    ["an unknown version", "POST /mutate HTTP/9.9\r\n\r\n", 400],
    ["a method that HTTP does not know", "FETCH /mutate HTTP/1.1\r\nhost: a\r\n\r\n", 400],
    ["too long a header", `GET / HTTP/1.1\r\nx: ${"y".repeat(40_000)}\r\n\r\n`, 431],
  ])("%s gets an error that says so, and the server serves on", async (_what, bytes, status) => {
    const [head = "", body = ""] = (await raw(bytes)).split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(body)).toEqual({
      code: expect.any(String),
      message: expect.any(String),
      remedy: expect.any(String),
    });
    expect((await send(`${server.admission}/healthz`)).status).toBe(200);
  });
});

/** An allowed review for whoever can be answered; an error that names the fault for everyone else. */
function expectDefinite({ status, json }: Answer): void {
  if (status === 200) expect(json.response.allowed).toBe(true);
  else expect(json).toEqual({ code: expect.any(String), message: expect.any(String), remedy: expect.any(String) });
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(server.admission);
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  socket.on("error", () => resolve(text));
  socket.on("close", () => resolve(text));
  socket.on("secureConnect", () => socket.end(bytes, "latin1"));
  return promise;
}
