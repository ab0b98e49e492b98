import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { named, order } from "../admission/scene.ts";
import { type Injector, type Registration, startInjector } from "./injector.ts";
import {
  ASKS,
  addNamespaces,
  type Created,
  create,
  creationOf,
  expectInjected,
  judgeNode,
  mishaps,
  pod,
  smcInit,
  statusOf,
  untilInjecting,
} from "./pods.ts";
import { type System, startSystem, WEBHOOK } from "./system.ts";

const RIGHT = { initContainers: ["istio-init", "smc-init", "istio-proxy", "migrate"], sockets: "uid:1337" };
const BEHIND = ["istio-init", "istio-proxy", "smc-init", "migrate"];

let system: System;
let injector: Injector;

beforeAll(async () => {
  system = await startSystem();
  await judgeNode(system, "node-1", "Eligible");
  injector = await startInjector(system);
  await addNamespaces(system, { shop: {} });
  await untilInjecting(system, "shop");
});
afterAll(() => system?.stop());

type Order = Pick<Registration, "name" | "reinvocationPolicy">;

/** Makes a pod in a namespace of its own, where the injector is called as it is registered. */
async function meshed(namespace: string, registrations: readonly Order[]): Promise<Created> {
  await addNamespaces(system, { [namespace]: { mesh: namespace } });
  for (const registration of registrations) {
    await injector.register({ ...registration, namespaceLabels: { mesh: namespace } });
  }
  const initContainers = [{ name: "migrate", image: "registry.example/migrate:1" }];
  const annotations = { ...ASKS, "sidecar.istio.io/inject": "true", "sidecar.istio.io/proxyCPULimit": "1500m" };
  const object = pod("meshed", { initContainers }, annotations);
  const names = registrations.map(({ name }) => name);
  const reached = async () => {
    await create(system, namespace, { ...object, metadata: { ...object.metadata, name: "trial" } });
    const called = await calls(namespace, "trial");
    await system.kubectl(`delete pod -n ${namespace} trial --wait=false --now`);
    return called;
  };
  await expect.poll(reached, { timeout: 10_000 }).toEqual(expect.arrayContaining([...names, WEBHOOK]));
  return await create(system, namespace, object);
}

/** The configurations whose webhooks were called for a pod, in their order, both rounds. */
async function calls(namespace: string, name = "meshed"): Promise<readonly string[]> {
  const { annotations = {} } = await creationOf(system, name, namespace);
  return Object.keys(annotations)
    .filter((key) => key.startsWith("mutation.webhook.admission.k8s.io/round_"))
    .sort()
    .map((key) => JSON.parse(annotations[key] ?? "{}").configuration);
}

function expectRight({ pod: made }: Created): void {
  expectInjected(made, RIGHT);
  expect(named(made, "istio-proxy").resources?.limits?.cpu, "doubled once").toBe("3");
  expect(statusOf(made).relaxed).toEqual({ cpuLimit: { from: "1500m", to: "3" } });
}

describe("pods come out right where Istio's injector", () => {
  test("is called before us, and again after us, and we again after it", async () => {
    const created = await meshed("before-twice", [{ name: "istio-twice", reinvocationPolicy: "IfNeeded" }]);
    expectRight(created);
    expect(await calls("before-twice")).toEqual(["istio-twice", WEBHOOK, "istio-twice", WEBHOOK]);
    expect(created.warnings).toEqual([]);
  });

  test("is called before us, once", async () => {
    const created = await meshed("before-once", [{ name: "istio-once", reinvocationPolicy: "Never" }]);
    expectRight(created);
    expect(created.warnings).toEqual([]);
  });

  test("is called after us, once, for we are called again; kubectl prints of our first call that there is no sidecar", async () => {
    const created = await meshed("after-once", [{ name: "zz-once", reinvocationPolicy: "Never" }]);
    expectRight(created);
    expect(await calls("after-once")).toEqual([WEBHOOK, "zz-once", WEBHOOK]);
    expect(created.warnings).toEqual([expect.stringMatching(/^NoSidecar: /)]);
  });

  test("is called both before us and, in another revision, after us", async () => {
    const both = [
      { name: "istio-both", reinvocationPolicy: "IfNeeded" },
      { name: "zz-both", reinvocationPolicy: "Never" },
    ] as const;
    expectRight(await meshed("both", both));
  });
});

describe("pods cannot come out right where Istio's injector has the last word:", () => {
  test("named after us and called again, it leaves smc-init behind the sidecar, and the limit as it was", async () => {
    const { pod: made } = await meshed("after-twice", [{ name: "zz-twice", reinvocationPolicy: "IfNeeded" }]);
    expect(await calls("after-twice")).toEqual([WEBHOOK, "zz-twice", WEBHOOK, "zz-twice"]);
    expect(order(made)).toEqual(BEHIND);
    expect(named(made, "istio-proxy").resources?.limits?.cpu).toBe("1500m");
    expect(sockets(made), "this much we could still say").toBe("uid:1337");
  });

  test("named after us, with our reinvocationPolicy taken away, it leaves smc-init behind the sidecar, which turns all sockets to SMC", async () => {
    const webhooks = [{ name: "pods.smc.asm.alibabacloud.com", reinvocationPolicy: "Never" }];
    const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${WEBHOOK}`;
    await system.cluster.api.expect("PATCH", path, { webhooks }, "strategic-merge");
    const { pod: made } = await meshed("after-alone", [{ name: "zz-alone", reinvocationPolicy: "Never" }]);
    expect(order(made)).toEqual(BEHIND);
    expect(sockets(made)).toBe("all");
  });
});

const sockets = (made: Created["pod"]) => smcInit(made).env?.find(({ name }) => name === "SMC_SOCKETS")?.value;

test("no pod was refused, and no call failed", async () => {
  expect(await mishaps(system)).toEqual([]);
});
