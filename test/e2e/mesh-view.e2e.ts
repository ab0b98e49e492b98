import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { MESH_CONFIG } from "../../webhook/admission/names.ts";
import { type Cluster, startCluster } from "../cluster/cluster.ts";
import { post, send } from "../http-client.ts";
import { type Route, readerOfMesh, routeTo } from "./elsewhere.ts";
import { openShop } from "./shop.ts";
import { annotatedPod, endOf } from "./stream.ts";
import { SYSTEM, type System, startSystem, WEBHOOK } from "./system.ts";

const CRD = fileURLToPath(new URL("../../manifests/base/crd.yaml", import.meta.url));
const CONFIGS = `/apis/${MESH_CONFIG.apiVersion}/asmmeshconfigs`;

let system: System;

beforeAll(async () => {
  system = await startSystem();
  await openShop(system);
});
afterAll(() => system?.stop());

const create = () => system.cluster.api.request("POST", "/api/v1/namespaces/shop/pods?dryRun=All", annotatedPod());
const outcome = async () => endOf(await create()).end;
const rolledOut = async () => {
  await system.kubectl(`-n ${SYSTEM} rollout status deployment/${WEBHOOK} --timeout=60s`);
  await expect.poll(() => system.cluster.runningPods(SYSTEM).length, { timeout: 20_000 }).toBe(2);
};
/** Each replica's answer at its port for people. It needs no API server. */
const ask = (path: string) =>
  Promise.all(system.cluster.runningPods(SYSTEM).map(({ host }) => send(`http://${host.address}:8080${path}`)));
const meshes = async () => (await ask("/config")).map(({ json }) => json.mesh);
/** What the replicas have logged, all of it. */
const logged = async () => {
  const files = system.cluster.runningPods(SYSTEM).flatMap(({ containers }) => containers.map(({ log }) => log));
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return texts.flatMap((text) => text.trimEnd().split("\n")).map((line): string => JSON.parse(line).msg);
};
const config = (name: string, spec: object) => ({ ...MESH_CONFIG, metadata: { name }, spec });
const apply = (object: { metadata: { name: string } }, api = system.cluster.api) =>
  api.expect("PATCH", `${CONFIGS}/${object.metadata.name}?fieldManager=test&force=true`, object);
/** Both replicas decide so, several times on end. */
const settle = (end: string, timeout = 10_000) => expect.poll(() => settled(end), { timeout }).toBe(true);
const settled = async (end: string) =>
  (await Promise.all(Array.from({ length: 6 }, outcome))).every((each) => each === end);

describe("the switch", () => {
  test("counts within half a second for the next admission", async () => {
    await settle("injected");
    const took: number[] = [];
    for (let turn = 0; turn < 8; turn++) {
      const enabled = turn % 2 === 1;
      const editedAt = performance.now();
      await apply(config("default", { smcEnabled: enabled }));
      // Of the admissions that begin after it, the last one that went by the old state.
      let stale = editedAt;
      while (performance.now() - editedAt < 1_000) {
        const at = performance.now();
        // Several at once, so that both replicas are asked.
        if (!(await settled(enabled ? "injected" : "uninjected"))) stale = at;
      }
      took.push(Math.round(stale - editedAt));
    }
    const [, , , median = 0] = took.toSorted((one, other) => one - other);
    console.info(`the switch counted after ${took.join(", ")} ms; median ${median} ms`);
    expect(median).toBeLessThan(500);
  });

  test("is that of the object named default, whatever others say", async () => {
    await apply(config("default", { smcEnabled: false }));
    await apply(config("another", { smcEnabled: true }));
    await settle("uninjected");
    await apply(config("another", { smcEnabled: false }));
    await apply(config("default", { smcEnabled: true }));
    await settle("injected");
  });

  test("is off where smcEnabled is absent or of another type, and the log says which", async () => {
    await unvalidated();
    for (const [spec, note] of [
      [{ smcEnabled: "true" }, /^spec.smcEnabled is .*; it must be the boolean true$/],
      [{ smcEnabled: 1 }, /^spec.smcEnabled is .*; it must be the boolean true$/],
      [{}, /^spec.smcEnabled is not set$/],
    ] as const) {
      await apply(config("default", { smcEnabled: true }));
      await settle("injected");
      await system.kubectl("replace -f -", config("default", spec));
      await settle("uninjected");
      for (const mesh of await meshes()) {
        expect(mesh).toMatchObject({ smcEnabled: false, note: expect.stringMatching(note) });
        expect(await logged()).toContain(`the mesh's switch counts as off: ${mesh.note}`);
      }
    }
  });
});

describe("without the definition of ASMMeshConfig", () => {
  test("the service starts and is ready, and the switch counts as off", async () => {
    await system.kubectl(`delete -f ${CRD}`);
    await system.kubectl(`-n ${SYSTEM} rollout restart deployment/${WEBHOOK}`);
    await rolledOut();
    expect(await outcome()).toBe("uninjected");
    for (const mesh of await meshes()) {
      expect(mesh).toMatchObject({ smcEnabled: false, note: expect.stringContaining("apply its CRD") });
    }
  });

  test("it is noticed within seconds when it appears", async () => {
    await system.kubectl(`apply -f ${CRD}`);
    await system.kubectl("wait --for=condition=established crd/asmmeshconfigs.istio.alibabacloud.com --timeout=30s");
    await system.setSwitch(true);
    const appearedAt = performance.now();
    await settle("injected", 5_000);
    console.info(`the definition was noticed after ${Math.round(performance.now() - appearedAt)} ms`);
  });
});

describe("while the API server is away", () => {
  beforeAll(() => system.cluster.components.apiServer.stop());

  test("the last state is served, with its age and the fault, and the service is ready", async () => {
    await expect.poll(async () => (await meshes()).every(({ faults }) => faults.length === 3), PATIENT).toBe(true);
    const [before] = await meshes();
    await sleep(1_000);
    for (const mesh of await meshes()) {
      expect(mesh).toMatchObject({ smcEnabled: true, resourceVersion: before.resourceVersion });
      expect(mesh.ageSeconds).toBeGreaterThan(1);
      expect(mesh.faults.map(({ message }: { message: string }) => message).join()).toContain("is the API server up");
    }
    for (const { status, json } of await ask("/readyz")) {
      expect(status).toBe(200);
      expect(json.checks.mesh).toEqual({
        ok: true,
        detail: expect.stringMatching(/^read \d+ s ago; .*is the API server up/),
      });
    }
    for (const { text } of await ask("/metrics")) {
      expect(Number(/^smc_webhook_mesh_age_seconds (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(1);
      expect(text).toMatch(/^smc_webhook_mesh_faults 3$/m);
    }
  });

  test("admissions are answered", async () => {
    const review = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        uid: "while-away",
        kind: { group: "", version: "v1", kind: "Pod" },
        resource: { group: "", version: "v1", resource: "pods" },
        operation: "CREATE",
        namespace: "shop",
        object: annotatedPod(),
      },
    };
    for (const { host } of system.cluster.runningPods(SYSTEM)) {
      const { json } = await post(`https://${host.address}:8443/mutate`, review);
      expect(json.response).toMatchObject({ allowed: true, auditAnnotations: { reason: "Injected" } });
    }
  });

  test("all heals when it is back, and what is edited then counts", async () => {
    await system.cluster.components.apiServer.start();
    const backAt = performance.now();
    await expect.poll(async () => (await meshes()).every(({ faults }) => faults.length === 0), PATIENT).toBe(true);
    console.info(`the mesh's state was up to date again after ${Math.round(performance.now() - backAt)} ms`);
    await apply(config("default", { smcEnabled: false }));
    await settle("uninjected");
    await apply(config("default", { smcEnabled: true }));
    await settle("injected");
  });
});

describe("with the mesh's control plane in another cluster", () => {
  let other: Cluster;
  let route: Route;

  beforeAll(async () => {
    other = await startCluster();
    route = await routeTo(other, system.cluster);
  });
  afterAll(async () => {
    route?.close();
    await other?.stop();
  });

  test("its switch counts, and this cluster's does not", async () => {
    const kubeconfig = await readerOfMesh(other, route, CRD);
    await mountKubeconfig(kubeconfig);

    const [mesh] = await meshes();
    expect(mesh).toMatchObject({ smcEnabled: false, source: { location: expect.stringContaining(route.server) } });
    expect(await outcome()).toBe("uninjected");
    await apply(config("default", { smcEnabled: true }), other.api);
    await settle("injected");
    await apply(config("default", { smcEnabled: false }));
    await sleep(1_000);
    expect(await settled("injected")).toBe(true);
    await apply(config("default", { smcEnabled: false }), other.api);
    await settle("uninjected");
  });
});

const PATIENT = { timeout: 30_000 };

/** A definition without a schema, as a mesh of another make may bring along. */
async function unvalidated(): Promise<void> {
  const crd = parse(await readFile(CRD, "utf8"));
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const [version] = crd.spec.versions;
  const spec = { ...crd.spec, versions: [{ ...version, schema: { openAPIV3Schema: open } }] };
  await system.kubectl("replace -f -", { ...crd, spec });
}

/** Gives the webhook a kubeconfig of the mesh's cluster, from a Secret, as its setting says. */
async function mountKubeconfig(kubeconfig: object): Promise<void> {
  const name = "mesh-control-plane";
  const stringData = { kubeconfig: JSON.stringify(kubeconfig) };
  const metadata = { name, namespace: SYSTEM };
  await system.kubectl("apply -f -", { apiVersion: "v1", kind: "Secret", metadata, stringData });
  const settings = `/api/v1/namespaces/${SYSTEM}/configmaps/smc-webhook-settings`;
  const { json } = await system.cluster.api.expect("GET", settings);
  const now = parse(json.data["settings.yaml"]);
  const mesh = { ...now.mesh, controlPlaneKubeconfig: `/etc/smc-webhook/${name}/kubeconfig` };
  const data = { "settings.yaml": JSON.stringify({ ...now, mesh }) };
  await system.cluster.api.expect("PATCH", settings, { data }, "merge");
  const volumeMounts = [{ name, mountPath: `/etc/smc-webhook/${name}`, readOnly: true }];
  const spec = { containers: [{ name: "webhook", volumeMounts }], volumes: [{ name, secret: { secretName: name } }] };
  const deployment = `/apis/apps/v1/namespaces/${SYSTEM}/deployments/${WEBHOOK}`;
  await system.cluster.api.expect("PATCH", deployment, { spec: { template: { spec } } }, "strategic-merge");
  await rolledOut();
}
