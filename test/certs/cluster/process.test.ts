import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { send } from "../../http-client.ts";
import { startServer } from "../../server-process.ts";
import { newFolder } from "../scene.ts";
import { kubeconfigFile, publishedBundle, startCluster } from "./scene.ts";

it("the server starts while the API server is away, says why it is not ready, and then serves", async () => {
  const cluster = await startCluster();
  await cluster.goAway();
  const folder = await newFolder();
  const settings = {
    listen: { https: { host: "127.0.0.1", port: 0 }, http: { host: "127.0.0.1", port: 0 } },
    mesh: { folder: await newFolder(), kubeconfig: await kubeconfigFile(cluster.url, "server") },
    certificates: { source: "secret", issue: true },
    shutdown: { drainSeconds: 0 },
  };
  const file = join(folder, "settings.json");
  await writeFile(file, JSON.stringify(settings));
  const server = await startServer(file);
  onTestFinished(async () => void (await server.stop("SIGKILL")));
  const early = await send(`${server.config}/readyz`);
  expect(early.status).toBe(503);
  expect(early.json.checks.certificate.detail).toMatch(/no serving certificate yet; .*connection refused/);

  await cluster.comeBack();
  await vi.waitFor(async () => expect((await send(`${server.config}/readyz`)).status).toBe(200), { timeout: 15_000 });
  await vi.waitFor(() => expect(publishedBundle(cluster)).not.toBe(""));
  expect((await send(`${server.admission}/healthz`, { ca: publishedBundle(cluster) })).status).toBe(200);
  expect(await server.stop()).toBe(0);
});
