import { readFile, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { copyEmbeddedMesh, type EmbeddedMesh } from "../demo/embedded-mesh.ts";
import { post, send } from "../http-client.ts";
import { type ServerProcess, startServer } from "../server-process.ts";
import { askingPod, review } from "./scene.ts";

let mesh: EmbeddedMesh;
let server: ServerProcess;
const DRAIN_SECONDS = 1;

beforeEach(async () => {
  mesh = await copyEmbeddedMesh();
  const settings = parse(await readFile(mesh.settingsFile, "utf8"));
  settings.shutdown = { drainSeconds: DRAIN_SECONDS, graceSeconds: 3 };
  await writeFile(mesh.settingsFile, stringify(settings));
  server = await startServer(mesh.settingsFile);
});
afterEach(async () => {
  await server.stop("SIGKILL");
  await mesh.remove();
});

describe("on SIGTERM", () => {
  it("readiness turns false at once, and the process exits with 0 after the drain", async () => {
    expect((await send(`${server.config}/readyz`)).status).toBe(200);
    const began = Date.now();
    const exit = server.stop();
    await wait(100);
    expect((await send(`${server.config}/readyz`)).status).toBe(503);
    expect(await exit).toBe(0);
    expect(Date.now() - began).toBeGreaterThanOrEqual(DRAIN_SECONDS * 1000);
  });

  it("requests on kept connections are answered, and the client is asked to close", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () => post(`${server.admission}/mutate`, review(askingPod()), { agent });
    expect((await ask()).headers.connection).toBe("keep-alive");
    const exit = server.stop();
    await wait(100);
    const answer = await ask();
    expect([answer.status, answer.headers.connection]).toEqual([200, "close"]);
    expect(await exit).toBe(0);
    agent.destroy();
  });

  it("new connections are answered while it drains", async () => {
    const exit = server.stop();
    await wait(100);
    expect((await post(`${server.admission}/mutate`, review(askingPod()))).status).toBe(200);
    expect(await exit).toBe(0);
  });

  it("a request that is still being sent when the drain ends is answered", async () => {
    const body = JSON.stringify(review(askingPod()));
    const { promise: status, resolve, reject } = Promise.withResolvers<number | undefined>();
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const options = { method: "POST", headers, rejectUnauthorized: false };
    const slow = request(`${server.admission}/mutate`, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    slow.on("error", reject);
    slow.write(body.slice(0, 100));
    await wait(100);
    const exit = server.stop();
    await wait(DRAIN_SECONDS * 1000 + 500);
    slow.end(body.slice(100));
    expect(await status).toBe(200);
    expect(await exit).toBe(0);
  });

  it("a connection that never ends is cut off when the grace period is over", async () => {
    const endless = request(`${server.admission}/mutate`, {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": 1000 },
      rejectUnauthorized: false,
    });
    endless.on("error", () => {});
    endless.write("{");
    await wait(100);
    const began = Date.now();
    expect(await server.stop()).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it("a second signal ends it at once", async () => {
    const exit = server.stop();
    await wait(100);
    server.process.kill("SIGTERM");
    expect(await exit).toBe(1);
  });
});
