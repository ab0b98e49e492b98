import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ANNOTATION, INIT_CONTAINER, LABEL } from "../../webhook/admission/names.ts";
import { send } from "../http-client.ts";
import { openShop, setFailurePolicy } from "./shop.ts";
import { annotatedPod } from "./stream.ts";
import { SYSTEM, type System, startSystem } from "./system.ts";

const NODES = 1_000;
const ELIGIBLE = 300;
const DEPLOYMENTS = 20;
const REPLICAS = 100;
const OURS = 'name="pods.smc.asm.alibabacloud.com"';

let system: System;

beforeAll(async () => {
  system = await startSystem();
  await openShop(system);
  // So that a pod that the webhook does not answer for is seen as an event of its ReplicaSet.
  await setFailurePolicy(system, "Fail");
  await system.cluster.addNodes(Array.from({ length: NODES }, (_, index) => nodeOf(index)));
}, 180_000);
afterAll(() => system?.stop());

// Evenly among the others: of so many nodes the scheduler looks at a part in their order, and prefers within that.
const isEligible = (index: number) => (index * ELIGIBLE) % NODES < ELIGIBLE;

const nodeOf = (index: number) => ({
  name: `worker-${index}`,
  labels: {
    [LABEL.eligible]: `${isEligible(index)}`,
    [LABEL.reason]: isEligible(index) ? "Eligible" : "NoRdmaDevice",
    ...(isEligible(index) && { [LABEL.method]: "bpf" }),
  },
});

const deploymentOf = (index: number) => {
  const app = `app-${index}`;
  const annotations = index % 2 === 0 ? annotatedPod().metadata.annotations : {};
  const containers = [{ name: "main", image: "main" }];
  return {
    metadata: { name: app },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: { app } },
      template: { metadata: { labels: { app }, annotations }, spec: { containers } },
    },
  };
};

interface ListedPod {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly nodeName?: string; readonly initContainers?: readonly { readonly name: string }[] };
}

async function allPods(): Promise<readonly ListedPod[]> {
  return (await system.cluster.api.expect("GET", "/api/v1/namespaces/shop/pods")).json.items;
}

test("of 2,000 pods that Deployments make among 1,000 nodes, all that ask are injected and none is refused", async () => {
  const { api } = system.cluster;
  const startedAt = performance.now();
  const deployments = Array.from({ length: DEPLOYMENTS }, (_, index) => deploymentOf(index));
  await Promise.all(deployments.map((each) => api.expect("POST", "/apis/apps/v1/namespaces/shop/deployments", each)));
  const made = async () => {
    const { json } = await api.expect("GET", "/apis/apps/v1/namespaces/shop/deployments");
    return json.items.reduce(
      (sum: number, { status }: { status: { replicas?: number } }) => sum + (status.replicas ?? 0),
      0,
    );
  };
  while ((await made()) < DEPLOYMENTS * REPLICAS) await sleep(500);
  const seconds = (performance.now() - startedAt) / 1_000;

  const pods = await allPods();
  expect(pods).toHaveLength(DEPLOYMENTS * REPLICAS);
  const asks = ({ metadata }: ListedPod) => metadata.annotations?.[ANNOTATION.enabled] === "true";
  const isInjected = ({ spec }: ListedPod) => spec.initContainers?.some(({ name }) => name === INIT_CONTAINER) ?? false;
  expect(pods.filter(asks)).toHaveLength(pods.length / 2);
  expect(pods.filter((pod) => asks(pod) !== isInjected(pod))).toEqual([]);
  const { json: events } = await api.expect("GET", "/api/v1/namespaces/shop/events?fieldSelector=reason=FailedCreate");
  expect(events.items.map(({ message }: { message: string }) => message)).toEqual([]);

  const latency = admissionDurations(await system.cluster.metrics());
  console.info(
    `2,000 pods in ${seconds.toFixed(0)} s; the API server's view of ${latency.count} admissions: mean ${shown(latency.mean)},`,
    `p50 ≤ ${shown(latency.quantile(0.5))}, p99 ≤ ${shown(latency.quantile(0.99))}`,
  );
  expect(latency.count).toBeGreaterThanOrEqual(pods.length / 2);
  // The webhook's timeoutSeconds.
  expect(latency.quantile(0.99)).toBeLessThan(5);
});

test("the replicas know every node, and their memory stays small", async () => {
  const replicas = system.cluster.runningPods(SYSTEM);
  for (const { name, host, containers } of replicas) {
    const [nodes, metrics] = await Promise.all(
      ["/nodes", "/metrics"].map((path) => send(`http://${host.address}:8080${path}`)),
    );
    expect(nodes?.json).toMatchObject({ eligible: ELIGIBLE + 2, notEligible: NODES - ELIGIBLE });
    const own = histogram(metrics?.text ?? "", "smc_webhook_admission_duration_seconds", "");
    const status = await readFile(`/proc/${containers[0]?.pid}/status`, "utf8");
    const [rss = 0, peak = 0] = ["VmRSS", "VmHWM"].map(
      (field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024,
    );
    console.info(
      `${name}: ${own.count} admissions, mean ${shown(own.mean)}, p50 ≤ ${shown(own.quantile(0.5))}, p99 ≤ ${shown(own.quantile(0.99))};`,
      `memory ${rss.toFixed(0)} MiB, at most ${peak.toFixed(0)} MiB`,
    );
    // Of the Deployment's limit of 512 MiB.
    expect(peak).toBeLessThan(300);
  }
  expect(replicas).toHaveLength(2);
});

test("pods that ask run on the nodes that can do SMC", async () => {
  const pods = (await allPods()).filter(
    ({ metadata, spec }) => metadata.annotations?.[ANNOTATION.enabled] && spec.nodeName,
  );
  expect(pods.length).toBeGreaterThan(100);
  const numbers = Array.from({ length: NODES }, (_, index) => index).filter(isEligible);
  const eligible = new Set(["node-1", "node-2", ...numbers.map((number) => `worker-${number}`)]);
  const there = pods.filter(({ spec }) => eligible.has(spec.nodeName ?? ""));
  console.info(`${there.length} of ${pods.length} scheduled pods that ask are on eligible nodes`);
  expect(there.length / pods.length).toBeGreaterThan(0.9);
});

const admissionDurations = (text: string) =>
  histogram(text, "apiserver_admission_webhook_admission_duration_seconds", OURS);

/** A Prometheus histogram, over all its series with that label. Quantiles are upper bounds: buckets say no more. */
function histogram(text: string, name: string, label: string) {
  const lines = text.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
  const value = (line: string) => Number(line.slice(line.lastIndexOf(" ")));
  const total = (suffix: string) =>
    lines.filter((line) => line.startsWith(`${name}_${suffix}`)).reduce((sum, line) => sum + value(line), 0);
  const buckets = new Map<number, number>();
  for (const line of lines) {
    const bound = /[{,]le="([^"]+)"/.exec(line)?.[1]?.replace("+Inf", "Infinity");
    if (bound) buckets.set(Number(bound), (buckets.get(Number(bound)) ?? 0) + value(line));
  }
  const count = total("count");
  return {
    count,
    mean: total("sum") / count,
    quantile: (share: number) => [...buckets].find(([, seen]) => seen >= share * count)?.[0] ?? Number.NaN,
  };
}

const shown = (seconds: number) => `${Number((seconds * 1_000).toPrecision(3))} ms`;
