import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULTS, parseSettings } from "../../webhook/settings/load.ts";
import { startFakeApiServer } from "../cluster-client/fake-api-server.ts";
import { INJECTION, MESHES, meshConfig, NAMESPACES, namespace } from "../cluster-client/mesh.ts";
import { kubeconfigText } from "../cluster-client/scene.ts";
import { send } from "../http-client.ts";
import { startServer } from "../server-process.ts";
import { askingPod, review } from "../service/scene.ts";
import { temporaryFolder } from "./mesh-folder.ts";

const settings = (folder: string, kubeconfig: string) => `
listen: { https: { host: 127.0.0.1, port: 0 }, http: { host: 127.0.0.1, port: 0 } }
mesh: { source: kubernetes, kubeconfig: ${kubeconfig} }
certificates: { folder: ${join(folder, "tls")}, issue: true }
placement: { mode: ignore }
shutdown: { drainSeconds: 0 }
`;

describe("the server, with the mesh in a cluster", () => {
  it("is ready when the mesh has been read, and decides by its switch", async () => {
    const fake = await startFakeApiServer();
    fake.put(NAMESPACES, namespace("default", { [INJECTION]: "enabled" }));
    fake.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, "cluster.kubeconfig"),
      kubeconfigText({ server: fake.url, user: "token: secret-token" }),
    );
    writeFileSync(join(folder, "settings.yaml"), settings(folder, "cluster.kubeconfig"));
    const server = await startServer(join(folder, "settings.yaml"));
    onTestFinished(async () => void (await server.stop("SIGKILL")));

    const early = await send(`${server.config}/readyz`);
    expect(early.status).toBe(503);
    expect(early.json.checks.mesh.detail).toContain(`GET ${fake.url}${NAMESPACES}: 503`);
    const reasonOf = async () => {
      const answer = await send(`${server.admission}/mutate`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(review(askingPod())),
      });
      return answer.json.response.auditAnnotations.reason;
    };
    expect(await reasonOf()).toBe("MeshUnknown");

    fake.intercept = undefined;
    await expect.poll(async () => (await send(`${server.config}/readyz`)).status, { timeout: 12_000 }).toBe(200);
    expect(await reasonOf()).toBe("MeshDisabled");
    fake.put(MESHES, meshConfig({ smcEnabled: true }));
    await expect.poll(reasonOf, { timeout: 500, interval: 10 }).toBe("Injected");
    const { json } = await send(`${server.config}/config`);
    expect(json.mesh).toMatchObject({
      smcEnabled: true,
      source: { kind: "kubernetes", location: fake.url },
      faults: [],
    });
    expect(JSON.stringify([server.log, json])).not.toContain("secret-token");
    expect(await server.stop()).toBe(0);
    expect(fake.watches).toHaveLength(0);
  });

  it("does not start with a kubeconfig that does not exist", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "settings.yaml"), settings(folder, "missing"));
    await expect(startServer(join(folder, "settings.yaml"))).rejects.toThrow(
      `smc-webhook: the kubeconfig ${join(folder, "missing")} does not exist`,
    );
  });
});

describe("the settings of the mesh's cluster", () => {
  it("are paths that start at the settings file, or nothing", () => {
    const text = "mesh: { source: kubernetes, kubeconfig: a/config, controlPlaneKubeconfig: /b/config }";
    const parsed = parseSettings(text, "/etc/smc/settings.yaml");
    expect(parsed).toMatchObject({
      settings: { mesh: { kubeconfig: "/etc/smc/a/config", controlPlaneKubeconfig: "/b/config" } },
    });
    expect(DEFAULTS.mesh).toMatchObject({ source: "embedded", kubeconfig: "", controlPlaneKubeconfig: "" });
  });
});
