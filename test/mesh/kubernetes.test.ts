import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { startFakeApiServer } from "../cluster-client/fake-api-server.ts";
import {
  followMesh,
  INJECTION,
  judged,
  MESHES,
  meshConfig,
  NAMESPACES,
  NODES,
  namespace,
} from "../cluster-client/mesh.ts";
import { until } from "./mesh-folder.ts";

const switchLines = (log: { readonly lines: readonly { readonly message: unknown }[] }) =>
  log.lines.map(({ message }) => `${message}`).filter((message) => message.startsWith("the mesh's switch"));

describe("a mesh in a cluster", () => {
  it("has the switch, the judged nodes and the namespaces, with the labels that matter", async () => {
    const { fake, mesh } = await followMesh((server) => {
      server.put(MESHES, meshConfig({ smcEnabled: true, other: 1 }));
      server.put(NODES, judged("good", { zone: "z1", "smc.asm.alibabacloud.com/method": "bpf" }));
      server.put(NODES, judged("bad", { "smc.asm.alibabacloud.com/reason": "NoRdmaDevice" }, "false"));
      server.put(NODES, { metadata: { name: "unjudged", labels: {} } });
      server.put(NAMESPACES, namespace("shop", { [INJECTION]: "enabled", team: "a" }));
      server.put(NAMESPACES, namespace("safe", { "pod-security.kubernetes.io/enforce": "baseline" }));
      server.put(NAMESPACES, namespace("plain", { team: "b" }));
    });
    await until(() => mesh.state !== undefined);
    expect(mesh.source).toEqual({ kind: "kubernetes", location: fake.url });
    expect(mesh.state?.meshSwitch).toEqual({ enabled: true, resourceVersion: "101" });
    expect([...(mesh.state?.nodes.values() ?? [])]).toEqual([
      { name: "good", eligible: true, reason: "", method: "bpf" },
      { name: "bad", eligible: false, reason: "NoRdmaDevice" },
    ]);
    expect(mesh.state?.eligible.size).toBe(1);
    expect(mesh.state?.eligible.someSuits({ nodeSelector: { zone: "z1" }, terms: undefined })).toBe(true);
    expect(mesh.state?.eligible.someSuits({ nodeSelector: { zone: "z2" }, terms: undefined })).toBe(false);
    expect([...(mesh.state?.namespaces ?? [])].map(([name, labels]) => [name, [...labels]])).toEqual([
      ["shop", [[INJECTION, "enabled"]]],
      ["safe", [["pod-security.kubernetes.io/enforce", "baseline"]]],
      ["plain", []],
    ]);
    expect(mesh.faults).toEqual([]);
    const asked = new Map(fake.requests.map((request) => [request.path, request]));
    expect(asked.get(MESHES)?.query.get("fieldSelector")).toBe("metadata.name=default");
    expect(asked.get(NODES)?.query.get("labelSelector")).toBe("smc.asm.alibabacloud.com/eligible");
    expect(asked.get(NODES)?.headers.accept).toContain("as=PartialObjectMetadata");
    expect(asked.get(NAMESPACES)?.headers.accept).toContain("as=PartialObjectMetadata");
  });

  it.each([MESHES, NODES, NAMESPACES])("has no state before %s has been listed", async (path) => {
    const { fake, mesh } = await followMesh((server) => {
      server.intercept = (seen, response) => {
        if (seen.path === path) response.writeHead(500).end();
        return seen.path === path;
      };
    });
    await until(() => fake.watches.length === 2 && mesh.faults.length === 1);
    await sleep(50);
    expect(mesh.state).toBeUndefined();
    expect(mesh.readAt).toBeUndefined();
    expect(mesh.faults[0]?.message).toBe(`GET ${fake.url}${path}: 500 Unknown`);
    fake.intercept = undefined;
    await until(() => mesh.state !== undefined);
    expect(mesh.readAt).toBeInstanceOf(Date);
    expect(mesh.faults).toEqual([]);
  });

  it("follows edits of the switch within 500 ms, and says once per change why it counts as off", async () => {
    const { fake, mesh, log } = await followMesh();
    await until(() => mesh.state !== undefined && fake.watches.length === 3);
    const turn = async (spec: unknown, enabled: boolean) => {
      fake.put(MESHES, meshConfig(spec));
      const version = fake.version;
      const took = await until(() => mesh.state?.meshSwitch.resourceVersion === version);
      expect(took).toBeLessThan(500);
      expect(mesh.state?.meshSwitch.enabled).toBe(enabled);
    };
    await turn({ smcEnabled: true }, true);
    await turn({ smcEnabled: true, other: 2 }, true);
    await turn({ smcEnabled: "true" }, false);
    await turn({ smcEnabled: "true", other: 3 }, false);
    await turn({}, false);
    await turn({ smcEnabled: false }, false);
    fake.remove(MESHES, "default");
    await until(() => mesh.state?.meshSwitch.note !== undefined);
    const off = "the mesh's switch counts as off:";
    const missing = `${off} there is no ASMMeshConfig (istio.alibabacloud.com/v1beta1) named "default"`;
    expect(switchLines(log)).toEqual([
      missing,
      "the mesh's switch",
      `${off} spec.smcEnabled is the string "true"; it must be the boolean true`,
      `${off} spec.smcEnabled is not set`,
      "the mesh's switch",
      missing,
    ]);
  });

  it("ignores ASMMeshConfigs of other names, even where the server does not select", async () => {
    const { fake, mesh } = await followMesh((server) => {
      server.intercept = ({ query }) => {
        query.delete("fieldSelector");
        return false;
      };
      server.put(MESHES, meshConfig({ smcEnabled: true }, "other"));
    });
    await until(() => mesh.state !== undefined && fake.watches.length === 3);
    fake.put(MESHES, meshConfig({ smcEnabled: true }, "another"));
    fake.put(NAMESPACES, namespace("later"));
    await until(() => mesh.state?.namespaces.has("later") ?? false);
    expect(mesh.state?.meshSwitch.enabled).toBe(false);
    fake.put(MESHES, meshConfig({ smcEnabled: true }));
    await until(() => mesh.state?.meshSwitch.enabled === true);
    fake.remove(MESHES, "other");
    await sleep(50);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
  });

  it("is off while the CRD is missing, and notices within seconds when it appears", async () => {
    const { fake, mesh } = await followMesh((server) => server.unknown.add(MESHES));
    await until(() => mesh.state !== undefined);
    expect(mesh.state?.meshSwitch.enabled).toBe(false);
    expect(mesh.state?.meshSwitch.note).toContain("the cluster does not know the kind ASMMeshConfig");
    expect(mesh.faults).toEqual([]);
    fake.unknown.delete(MESHES);
    fake.put(MESHES, meshConfig({ smcEnabled: true }));
    expect(await until(() => mesh.state?.meshSwitch.enabled === true)).toBeLessThan(2500);
  });

  it("serves its last state while the API server is away, and says since when", async () => {
    const { fake, mesh } = await followMesh((server) => {
      server.put(MESHES, meshConfig({ smcEnabled: true }));
      server.put(NODES, judged("goes"));
    });
    await until(() => mesh.state !== undefined && fake.watches.length === 3);
    const { state } = mesh;
    await fake.down();
    await until(() => mesh.faults.filter(({ message }) => message.includes("connection refused")).length === 3);
    const { readAt } = mesh;
    expect(mesh.faults.map(({ where }) => where)).toEqual([
      "asmmeshconfigs (istio.alibabacloud.com/v1beta1)",
      "nodes (v1)",
      "namespaces (v1)",
    ]);
    expect(mesh.faults[0]?.message).toContain(`GET ${fake.url}${MESHES}: connection refused`);
    await sleep(100);
    expect(mesh.state).toBe(state);
    expect(mesh.readAt).toEqual(readAt);
    fake.remove(NODES, "goes");
    fake.put(NODES, judged("comes"));
    await fake.up();
    await until(() => mesh.state?.nodes.has("comes") === true && mesh.state.nodes.size === 1);
    await until(() => mesh.faults.length === 0);
    expect(mesh.readAt?.getTime()).toBeGreaterThan(readAt?.getTime() ?? 0);
  });

  it("takes the switch from the control plane's cluster where that is another one", async () => {
    const controlPlane = await startFakeApiServer();
    controlPlane.put(MESHES, meshConfig({ smcEnabled: true }));
    const { fake, mesh } = await followMesh((server) => server.put(NODES, judged("a")), controlPlane);
    await until(() => mesh.state !== undefined && controlPlane.watches.length === 1);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
    expect(mesh.state?.nodes.has("a")).toBe(true);
    expect(fake.requests.some(({ path }) => path === MESHES)).toBe(false);
    expect(mesh.source.location).toBe(`${fake.url}, mesh: ${controlPlane.url}`);
    await controlPlane.down();
    await until(() => mesh.faults.length === 1);
    fake.put(NODES, judged("b"));
    await until(() => mesh.state?.nodes.has("b") === true);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
  });
});
