import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { V1Deployment } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import { named, order } from "../admission/scene.ts";
import { startInjector } from "./injector.ts";
import {
  ASKS,
  addNamespaces,
  auditedReason,
  create,
  expectInjected,
  expectPlain,
  judgeNode,
  mishaps,
  pod,
  podsOf,
  startedPods,
  untilInjecting,
} from "./pods.ts";
import { type System, startSystem } from "./system.ts";

const FORTIO = fileURLToPath(new URL("../../manifests/samples/fortio", import.meta.url));
const ISTIO = { "istio-injection": "enabled" };
const WITH_SIDECAR = { initContainers: ["istio-init", "smc-init", "istio-proxy"], sockets: "uid:1337" };
const WITHOUT = { initContainers: ["smc-init"], sockets: "all" };

let system: System;

beforeAll(async () => {
  system = await startSystem();
  await judgeNode(system, "node-1", "Eligible");
  await judgeNode(system, "node-2", "NoRdmaDevice");
  const injector = await startInjector(system);
  await injector.register({ name: "istio-sidecar-injector", namespaceLabels: ISTIO });
  await addNamespaces(system, { fortio: ISTIO, plain: ISTIO, kinds: ISTIO, qos: ISTIO, bare: {} });
  await untilInjecting(system, "bare");
});
afterAll(() => system?.stop());

describe("the fortio sample", () => {
  test("comes out with smc-init between istio-init and the sidecar, a doubled limit, and runs", async () => {
    await system.kubectl(`apply -n fortio -k ${FORTIO}`);
    for (const [app, limit] of Object.entries({ fortioserver: "4", fortioclient: "8" })) {
      const [made] = await startedPods(system, "fortio", `app=${app}`);
      if (!made) throw new Error(app);
      expectInjected(made, WITH_SIDECAR);
      expect(named(made, "istio-proxy").resources?.limits).toEqual({ cpu: limit, memory: "1Gi" });
      expect(await auditedReason(system, made)).toBe("Injected");
      const { stdout } = await system.kubectl(`describe pod -n fortio ${made.metadata?.name}`);
      expect(stdout).toMatch(new RegExp(`${ANNOTATION.status}: *\\n? *{"version":`));
      expect(stdout).toMatch(/^Status: +Running$/m);
    }
  });

  test("comes out as Istio alone leaves it, where the annotation is missing", async () => {
    const documents = parseAllDocuments(await readFile(`${FORTIO}/fortio.yaml`, "utf8")).map((each) => each.toJS());
    const objects: V1Deployment[] = documents.filter(({ kind }) => kind === "Deployment");
    for (const { spec } of objects) delete spec?.template.metadata?.annotations?.[ANNOTATION.enabled];
    await system.kubectl("apply -n plain -f -", objects);
    const [made] = await startedPods(system, "plain", "app=fortioserver");
    if (!made) throw new Error("no pod");
    expectPlain(made);
    expect(order(made)).toEqual(["istio-init", "istio-proxy"]);
    expect(named(made, "istio-proxy").resources?.limits?.cpu).toBe("2");
    expect(await auditedReason(system, made), "the webhook is not called").toBeUndefined();
  });
});

const template = (app: string, spec: object = {}) => ({
  metadata: { labels: { app }, annotations: { ...ASKS, "sidecar.istio.io/inject": "true" } },
  spec: { containers: [{ name: "app", image: "registry.example/app:1" }], ...spec },
});
const selected = (app: string) => ({ selector: { matchLabels: { app } }, template: template(app) });
const job = (app: string) => ({ template: template(app, { restartPolicy: "Never" }) });
const WORKLOADS: Record<string, { apiVersion: string; spec: object; run?: string }> = {
  Deployment: { apiVersion: "apps/v1", spec: selected("deployment") },
  ReplicaSet: { apiVersion: "apps/v1", spec: selected("replicaset") },
  StatefulSet: { apiVersion: "apps/v1", spec: { serviceName: "headless", ...selected("statefulset") } },
  Job: { apiVersion: "batch/v1", spec: job("job"), run: "wait -n kinds --for=condition=complete job/job" },
  CronJob: {
    apiVersion: "batch/v1",
    spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: job("cronjob") } },
    run: "create job -n kinds --from=cronjob/cronjob by-hand",
  },
};

test.each(Object.entries(WORKLOADS))("the pod of a %s is injected and starts", async (kind, { run, ...fields }) => {
  const name = kind.toLowerCase();
  await system.kubectl("apply -n kinds -f -", { kind, metadata: { name }, ...fields });
  if (run) await system.kubectl(run);
  const [made] = await startedPods(system, "kinds", `app=${name}`);
  if (!made) throw new Error("no pod");
  expectInjected(made, WITH_SIDECAR);
});

test("a DaemonSet's pods, bound by matchFields, are injected where their node can do SMC, and run on TCP elsewhere", async () => {
  await system.kubectl("apply -n kinds -f -", {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "everywhere" },
    spec: selected("everywhere"),
  });
  const made = await startedPods(system, "kinds", "app=everywhere", 2);
  const on = (node: string) => made.find(({ spec }) => spec?.nodeName === node) ?? {};
  expectInjected(on("node-1"), WITH_SIDECAR);
  expectPlain(on("node-2"));
  expect(await auditedReason(system, on("node-1"))).toBe("Injected");
  expect(await auditedReason(system, on("node-2"))).toBe("NodeNotEligible");
});

describe("a bare pod", () => {
  test("is injected, and kubectl prints that it has no sidecar", async () => {
    const { warnings } = await create(system, "bare", pod("alone"));
    expect(warnings).toEqual(["NoSidecar: no container istio-proxy found: every socket of the pod becomes SMC"]);
    await system.kubectl("wait -n bare --for=condition=ready pod/alone --timeout=20s");
    const [made] = (await podsOf(system, "bare")).filter(({ metadata }) => metadata?.name === "alone");
    expectInjected(made ?? {}, WITHOUT);
  });

  test("is injected where its name is generated", async () => {
    const object = { ...pod(""), metadata: { generateName: "some-", annotations: ASKS } };
    const { pod: made } = await create(system, "bare", object);
    expect(made.metadata?.name).toMatch(/^some-.{5}$/);
    expectInjected(made, WITHOUT);
  });

  test("is shown as it would be in a dry run, and not made", async () => {
    const { pod: shown, warnings } = await create(system, "bare", pod("imagined"), "--dry-run=server");
    expectInjected(shown, WITHOUT);
    expect(warnings).toHaveLength(1);
    expect((await podsOf(system, "bare")).map(({ metadata }) => metadata?.name)).not.toContain("imagined");
  });

  test("on the host's network stays as it is, with a warning", async () => {
    const { pod: made, warnings } = await create(system, "bare", pod("host", { hostNetwork: true }));
    expectPlain(made);
    expect(warnings).toEqual(["HostNetwork: the pod is on the host's network, which must not be changed"]);
  });
});

test("in a namespace without the label the webhook is not called", async () => {
  await addNamespaces(system, { elsewhere: { "smc.asm.alibabacloud.com/injection": "disabled" } });
  const { pod: made, warnings } = await create(system, "elsewhere", pod("asking"));
  expectPlain(made);
  expect(warnings).toEqual([]);
  expect(await auditedReason(system, made)).toBeUndefined();
});

test.each(["baseline", "restricted"])("a pod starts on TCP where Pod Security is %s", async (level) => {
  const name = `security-${level}`;
  await addNamespaces(system, { [name]: { "pod-security.kubernetes.io/enforce": level } });
  await expect
    .poll(async () => (await create(system, name, hardened("trial"), "--dry-run=server")).warnings)
    .toEqual([`PodSecurity: namespace ${name} enforces Pod Security "${level}", which refuses smc-init`]);
  const { pod: made } = await create(system, name, hardened("asking"));
  expectPlain(made);
  await system.kubectl(`wait -n ${name} --for=condition=ready pod/asking --timeout=20s`);
});

function hardened(name: string) {
  const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } };
  const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
  const containers = [{ name: "app", image: "registry.example/app:1", securityContext: restricted }];
  return pod(name, { securityContext, containers });
}

test("where a LimitRange and a ResourceQuota are in force, pods get their defaults, and start injected", async () => {
  await addNamespaces(system, { limited: ISTIO });
  const limits = [
    {
      type: "Container",
      default: { cpu: "500m", memory: "256Mi" },
      defaultRequest: { cpu: "50m", memory: "64Mi" },
      max: { cpu: "8", memory: "2Gi" },
    },
  ];
  const hard = { "limits.cpu": "40", "limits.memory": "20Gi", "requests.cpu": "4", "requests.memory": "4Gi" };
  await system.kubectl("apply -n limited -f -", [
    { apiVersion: "v1", kind: "LimitRange", metadata: { name: "sizes" }, spec: { limits } },
    { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "budget" }, spec: { hard } },
  ]);
  await system.kubectl("wait -n limited --for=jsonpath={.status.hard} resourcequota/budget --timeout=20s");
  await system.kubectl("apply -n limited -f -", {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: { replicas: 3, ...selected("web") },
  });
  for (const made of await startedPods(system, "limited", "app=web", 3)) {
    expectInjected(made, WITH_SIDECAR);
    expect(named(made, "app").resources?.limits).toEqual({ cpu: "500m", memory: "256Mi" });
    expect(named(made, "smc-init").resources).toMatchObject({ limits: { cpu: "10m", memory: "16Mi" } });
  }
});

// The webhook does not know of LimitRanges: settings (initContainer.cpu, .memory, relaxations.cpuLimit) suit it to them.
test.each([
  ["a minimum above smc-init's size", { min: { cpu: "100m" } }, /minimum cpu usage per Container is 100m/],
  ["a maximum below the doubled limit", { max: { cpu: "1" } }, /maximum cpu usage per Container is 1, .* 1600m/],
])("a LimitRange with %s refuses an injected pod", async (what, bounds, message) => {
  const name = `limited-by-${Object.keys(bounds)}`;
  await addNamespaces(system, { [name]: {} });
  const limits = [{ type: "Container", default: { cpu: "500m" }, defaultRequest: { cpu: "300m" }, ...bounds }];
  await system.kubectl(`apply -n ${name} -f -`, {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "bounds" },
    spec: { limits },
  });
  const app = { name: "app", image: "registry.example/app:1" };
  const proxy = { ...app, name: "istio-proxy", resources: { limits: { cpu: "800m" }, requests: { cpu: "300m" } } };
  const refusal = async () => {
    const asked = create(system, name, pod("asking", { containers: [app, proxy] }), "--dry-run=server");
    return await asked.then(
      () => "",
      (error: unknown) => `${error}`,
    );
  };
  await expect.poll(refusal, { timeout: 10_000, message: what }).toMatch(message);
  const declining = { "smc.asm.alibabacloud.com/enabled": "false" };
  await create(system, name, pod("declining", { containers: [app, proxy] }, declining));
});

const SIZE = { cpu: "250m", memory: "64Mi" };
test.each([
  ["Guaranteed", "bare", { limits: SIZE, requests: SIZE }, { limits: { cpu: "10m", memory: "16Mi" } }],
  ["Burstable", "bare", { requests: SIZE }, { limits: { cpu: "10m", memory: "16Mi" } }],
  ["BestEffort", "bare", {}, {}],
] as const)("a %s pod stays so", async (qosClass, namespace, resources, ours) => {
  const containers = [{ name: "app", image: "registry.example/app:1", resources }];
  const { pod: made } = await create(system, namespace, pod(qosClass.toLowerCase(), { containers }));
  expectInjected(made, WITHOUT);
  expect(made.status?.qosClass).toBe(qosClass);
  expect(named(made, "smc-init").resources).toMatchObject(ours);
});

test("no other pod was refused, and no call failed", async () => {
  expect(await mishaps(system)).toEqual([]);
});
