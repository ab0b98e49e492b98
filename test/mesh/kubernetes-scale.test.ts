import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { FakeApiServer } from "../cluster-client/fake-api-server.ts";
import {
  followMesh,
  INJECTION,
  judged,
  MESHES,
  meshConfig,
  NAMESPACES,
  NODES,
  namespace,
  recordStates,
} from "../cluster-client/mesh.ts";
import { clientOf } from "../cluster-client/scene.ts";
import { until } from "./mesh-folder.ts";

const NODE_COUNT = 5000;
const NAMESPACE_COUNT = 10_000;

/** What a node of a cloud carries: some 30 labels, most of them the same as its neighbours'. */
const labels = (index: number): Readonly<Record<string, string>> => ({
  "kubernetes.io/hostname": `node-${index}`,
  "topology.kubernetes.io/zone": `cn-hangzhou-${"abcdef"[index % 6]}`,
  ...Object.fromEntries(
    Array.from({ length: 28 }, (_, label) => [
      `example.com/label-${label}`,
      `value-of-the-label-${label}-${index % 20}`,
    ]),
  ),
});

function fill(server: FakeApiServer): void {
  server.put(MESHES, meshConfig({ smcEnabled: true }));
  for (let index = 0; index < NODE_COUNT; index++) server.put(NODES, judged(`node-${index}`, labels(index)));
  for (let index = 0; index < NAMESPACE_COUNT; index++) {
    server.put(
      NAMESPACES,
      namespace(`ns-${index}`, { team: `team-${index}`, ...(index % 10 === 0 && { [INJECTION]: "enabled" }) }),
    );
  }
}

describe(`a mesh of ${NODE_COUNT} nodes and ${NAMESPACE_COUNT} namespaces`, () => {
  it("is held in bounded memory, whatever its objects are besides labels", async () => {
    // Loads the client library, which is not what is measured here.
    await clientOf("http://127.0.0.1:1");
    let held = 0;
    const { mesh } = await followMesh((server) => {
      fill(server);
      held = heapUsed();
    });
    await until(() => mesh.state !== undefined, 10_000);
    const megabytes = (heapUsed() - held) / 1e6;
    process.stdout.write(
      `${NODE_COUNT} nodes of 31 labels, ${NAMESPACE_COUNT} namespaces: ${megabytes.toFixed(1)} MB\n`,
    );
    expect(mesh.state?.eligible.size).toBe(NODE_COUNT);
    expect(mesh.state?.namespaces.size).toBe(NAMESPACE_COUNT);
    expect(megabytes).toBeLessThan(60);
  });

  it("takes in a burst of 1,000 label changes with few new pictures, and none for a heartbeat", async () => {
    const { fake, mesh } = await followMesh(fill);
    await until(() => mesh.state !== undefined && fake.watches.length === 3);
    const before = mesh.state;
    const states = recordStates(mesh);
    for (let index = 0; index < 1000; index++) {
      fake.put(NODES, { ...judged(`node-${index}`, labels(index)), status: { heartbeat: index } });
    }
    fake.put(MESHES, meshConfig({ smcEnabled: false }));
    const turned = await until(() => mesh.state?.meshSwitch.enabled === false);
    await until(() => states.size > 1);
    expect(turned).toBeLessThan(500);
    expect(mesh.state?.nodes).toBe(before?.nodes);
    expect(mesh.state?.namespaces).toBe(before?.namespaces);

    const pictures = states.size;
    for (let index = 0; index < 1000; index++) {
      fake.put(NODES, judged(`node-${index}`, { ...labels(index), burst: "yes" }));
    }
    fake.put(NODES, judged("last"));
    const took = await until(() => mesh.state?.nodes.has("last") === true);
    expect(mesh.state?.eligible.size).toBe(NODE_COUNT + 1);
    expect(mesh.state?.namespaces).toBe(before?.namespaces);
    const made = states.size - pictures;
    process.stdout.write(`1,000 label changes: ${made} new pictures, the last after ${took.toFixed(0)} ms\n`);
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(50);
  });
});

/** Bytes, after what is not needed has been collected. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  if (typeof gc === "function") gc();
  return process.memoryUsage().heapUsed;
}
