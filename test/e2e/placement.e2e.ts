import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ANNOTATION, LABEL } from "../../webhook/admission/names.ts";
import { order } from "../admission/scene.ts";
import {
  ASKS,
  addNamespaces,
  auditedReason,
  create,
  judgeNode,
  mishaps,
  pod,
  startedPods,
  untilInjecting,
} from "./pods.ts";
import { type System, startSystem } from "./system.ts";

const NODES = ["node-1", "node-2", "node-3", "node-4"];
/** A switch edit's effect, at most; and how often it is measured. */
const EFFECT_MS = 500;
const EDITS = 9;

let system: System;

beforeAll(async () => {
  system = await startSystem();
  await system.cluster.addNodes([{ name: "node-3" }, { name: "node-4", labels: { zone: "far" } }]);
  await judgeNode(system, "node-1", "Eligible");
  for (const name of NODES.slice(1)) await judgeNode(system, name, "NoRdmaDevice");
  await addNamespaces(system, { shop: {} });
  await untilInjecting(system, "shop");
});
afterAll(() => system?.stop());

/** Makes replicas that ask for SMC with a placement; gives the nodes that they run on. */
async function nodesOf(app: string, placement: string, replicas: number): Promise<readonly string[]> {
  const annotations = { ...ASKS, [ANNOTATION.placement]: placement };
  const { spec } = pod("", { containers: [{ name: "app", image: "registry.example/app:1" }] });
  const template = { metadata: { labels: { app }, annotations }, spec };
  await system.kubectl("apply -n shop -f -", {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: app },
    spec: { replicas, selector: { matchLabels: { app } }, template },
  });
  const made = await startedPods(system, "shop", `app=${app}`, replicas);
  return made.map((each) => each.spec?.nodeName ?? "");
}

describe("with one node of four that can do SMC", () => {
  test("require brings every pod there", async () => {
    expect(new Set(await nodesOf("requiring", "require", 8))).toEqual(new Set(["node-1"]));
  });

  test("prefer brings pods there, and others run elsewhere where they must", async () => {
    expect(new Set(await nodesOf("preferring", "prefer", 4))).toEqual(new Set(["node-1"]));
    await system.kubectl("cordon node-1");
    expect(await nodesOf("evading", "prefer", 2)).not.toContain("node-1");
    await system.kubectl("uncordon node-1");
  });

  test("ignore lets the scheduler spread them", async () => {
    expect(new Set(await nodesOf("ignoring", "ignore", 8)).size).toBeGreaterThan(1);
  });
});

test("while pods are made, they follow the nodes' labels", async () => {
  const far = (name: string) => pod(name, { nodeSelector: { zone: "far" } });
  const reason = async (name: string) => await auditedReason(system, (await create(system, "shop", far(name))).pod);
  let made = 0;
  const next = () => reason(`following-${made++}`);
  expect(await next()).toBe("NoEligibleNode");
  for (const [verdict, expected] of [
    ["Eligible", "Injected"],
    ["KernelTooOld", "NoEligibleNode"],
    ["Eligible", "Injected"],
  ] as const) {
    await judgeNode(system, "node-4", verdict);
    await expect.poll(next, { timeout: 5_000, interval: 20 }).toBe(expected);
  }
  expect(new Set(await nodesOf("both", "require", 8))).toEqual(new Set(["node-1", "node-4"]));
});

test("a node's labels taken away, or the node itself, count as not eligible", async () => {
  const bound = (name: string) => pod(name, { nodeName: "node-4" });
  const warned = async () => (await create(system, "shop", bound("bound"), "--dry-run=server")).warnings[0];
  await system.kubectl(`label node node-4 ${LABEL.eligible}- ${LABEL.reason}- ${LABEL.method}-`);
  await expect
    .poll(warned, { timeout: 5_000 })
    .toBe("NodeNotEligible: node node-4 cannot do SMC: no labeler has judged it");
  await system.kubectl("delete node node-1 --wait=false");
  const wanted = async () => (await create(system, "shop", pod("any"), "--dry-run=server")).warnings[0];
  await expect.poll(wanted, { timeout: 5_000 }).toMatch(/^NoEligibleNode: /);
  await judgeNode(system, "node-4", "Eligible");
  await untilInjecting(system, "shop");
});

test(`an edit of the switch has its effect on the next admission within ${EFFECT_MS} ms`, async () => {
  const { api } = system.cluster;
  const path = "/apis/istio.alibabacloud.com/v1beta1/asmmeshconfigs/default";
  const injects = async () => {
    const { json } = await api.expect("POST", "/api/v1/namespaces/shop/pods?dryRun=All", pod("measured"));
    return order(json).includes("smc-init");
  };
  // Several at once, so that both replicas are asked.
  const all = async (wanted: boolean) =>
    (await Promise.all(Array.from({ length: 6 }, injects))).every((is) => is === wanted);
  const taken: number[] = [];
  for (let edit = 0; edit < EDITS; edit += 1) {
    const smcEnabled = edit % 2 === 1;
    const before = performance.now();
    await api.expect("PATCH", path, { spec: { smcEnabled } }, "merge");
    while (!(await all(smcEnabled)));
    taken.push(performance.now() - before);
  }
  taken.sort((a, b) => a - b);
  const [median = Number.NaN] = taken.slice(Math.floor(EDITS / 2));
  console.log(
    `from a switch's edit to an admission that follows it: median ${median.toFixed(0)} ms, slowest ${taken.at(-1)?.toFixed(0)} ms`,
  );
  expect(median).toBeLessThan(EFFECT_MS);
});

test("no pod was refused, and no call failed", async () => {
  expect(await mishaps(system)).toEqual([]);
});
