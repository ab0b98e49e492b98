import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bundleOf } from "../../certs/bundle.ts";
import { issueCa, issueLeaf } from "../../certs/issue.ts";
import { fingerprint, readSecret, SECRET, servedCertificates, trustedRoots, writeSecret } from "./served.ts";
import { CONFIGURATION, openShop, setFailurePolicy } from "./shop.ts";
import { annotatedPod, endOf, losses, streamPods } from "./stream.ts";
import { SYSTEM, type System, startSystem, WEBHOOK } from "./system.ts";

const MANIFEST = fileURLToPath(new URL("../../manifests/base/webhook-configuration.yaml", import.meta.url));

let system: System;

beforeAll(async () => {
  system = await startSystem();
  await openShop(system);
  await setFailurePolicy(system, "Fail");
});
afterAll(() => system?.stop());

const admitted = async () => {
  const answer = await system.cluster.api.request("POST", "/api/v1/namespaces/shop/pods", annotatedPod());
  return endOf(answer).end;
};
const rolledOut = () => system.kubectl(`-n ${SYSTEM} rollout status deployment/${WEBHOOK} --timeout=60s`);
const scale = (replicas: number) => system.kubectl(`-n ${SYSTEM} scale deployment/${WEBHOOK} --replicas=${replicas}`);
const running = () => system.cluster.runningPods(SYSTEM).length;

/** All replicas serve what the Secret has, and the API server trusts it. */
async function inStep(): Promise<void> {
  const agreed = async () => {
    const { "tls.crt": leaf, "ca.crt": bundle } = await readSecret(system);
    const served = await servedCertificates(system);
    const roots = await trustedRoots(system);
    return served.join() === fingerprint(leaf) && bundleOf(roots) === bundle;
  };
  await expect.poll(() => agreed().catch(() => false), { timeout: 20_000 }).toBe(true);
}

test("three replicas that start at once, with nothing there, end with one CA", async () => {
  await scale(0);
  await expect.poll(running, { timeout: 30_000 }).toBe(0);
  await system.cluster.api.expect("DELETE", SECRET);
  await system.kubectl(`replace -f ${MANIFEST}`);
  expect(await trustedRoots(system)).toEqual([]);
  await scale(3);
  await rolledOut();
  expect(running()).toBe(3);
  await inStep();
  expect(await trustedRoots(system)).toHaveLength(1);
  expect(await admitted()).toBe("injected");
  await setFailurePolicy(system, "Fail");
});

describe("the CA bundle", () => {
  test("is the one field of the configuration that the webhook writes", async () => {
    const { json } = await system.cluster.api.expect("GET", CONFIGURATION);
    const ours = json.metadata.managedFields.filter(({ manager }: { manager: string }) => manager === WEBHOOK);
    const leaves = ours.map(({ fieldsV1 }: { fieldsV1: object }) => fieldsOf(fieldsV1));
    expect(leaves).toEqual([['f:webhooks k:{"name":"pods.smc.asm.alibabacloud.com"} f:clientConfig f:caBundle']]);
  });

  test("stays where the manifests are applied again", async () => {
    const before = await trustedRoots(system);
    await system.kubectl(`apply -f ${MANIFEST}`);
    await system.kubectl(`apply --server-side --force-conflicts -f ${MANIFEST}`);
    expect(await trustedRoots(system)).toEqual(before);
  });

  test("is back within five seconds when a replace has wiped it", async () => {
    const before = await trustedRoots(system);
    for (let time = 0; time < 3; time++) {
      await system.kubectl(`replace -f ${MANIFEST}`);
      const wipedAt = performance.now();
      await expect.poll(() => trustedRoots(system), { timeout: 5_000, interval: 50 }).toEqual(before);
      console.info(`caBundle was back after ${Math.round(performance.now() - wipedAt)} ms`);
      expect(await admitted()).toBe("injected");
    }
    await setFailurePolicy(system, "Fail");
  });
});

describe("the Secret heals, all replicas end on the same certificate, and no admission fails meanwhile, when", () => {
  beforeEach(inStep, 30_000);

  const cost = async (damage: () => Promise<unknown>) => {
    const before = await readSecret(system);
    const stream = streamPods(system, "shop");
    await stream.more(5);
    await damage();
    const isMended = async () => {
      const now = await readSecret(system);
      return (
        now["ca.key"] !== "" &&
        JSON.stringify(await servedCertificates(system)) === JSON.stringify([fingerprint(now["tls.crt"])])
      );
    };
    await sleep(500);
    await expect.poll(() => isMended().catch(() => false), { timeout: 20_000 }).toBe(true);
    await stream.more(50);
    await stream.stop();
    await inStep();
    return { lost: losses(stream.take()), before, after: await readSecret(system) };
  };

  test("it is deleted", async () => {
    const { lost, before, after } = await cost(() => system.cluster.api.expect("DELETE", SECRET));
    expect(lost).toEqual({});
    // The old CA stays beside the new one, for its leaf serves on.
    expect(after["ca.crt"]).not.toBe(before["ca.crt"]);
    expect(after["ca.crt"]).toContain(before["ca.crt"]);
    expect(after["tls.crt"]).toBe(before["tls.crt"]);
  });

  test("it is filled with garbage", async () => {
    const garbage = { "ca.crt": "garbage", "ca.key": "garbage", "tls.crt": "garbage", "tls.key": "garbage" };
    expect(await cost(() => writeSecret(system, garbage))).toMatchObject({ lost: {} });
  });

  test("its keys are emptied", async () => {
    const nothing = { "ca.crt": "", "ca.key": "", "tls.crt": "", "tls.key": "" };
    expect(await cost(() => writeSecret(system, nothing))).toMatchObject({ lost: {} });
  });

  test("its key does not match its certificate", async () => {
    const other = await issueLeaf({
      ca: await issueCa({ now: new Date() }),
      now: new Date(),
      dnsNames: ["other.test"],
      ipAddresses: [],
    });
    const { lost, before, after } = await cost(() => writeSecret(system, { "tls.key": other.key }));
    expect(lost).toEqual({});
    expect(after["tls.key"]).not.toBe(other.key);
    expect(after["ca.crt"]).toBe(before["ca.crt"]);
  });

  test("its CA and leaf are strangers to each other", async () => {
    const stranger = await issueCa({ now: new Date() });
    expect(await cost(() => writeSecret(system, { "ca.crt": stranger.cert, "ca.key": stranger.key }))).toMatchObject({
      lost: {},
    });
  });
});

test("a Secret that may not be written is a fault that readiness tells, and the last certificate serves on", async () => {
  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${SYSTEM}/rolebindings/${WEBHOOK}`;
  const { json: binding } = await system.cluster.api.expect("GET", role);
  await system.cluster.api.expect("DELETE", role);
  const [pod] = system.cluster.runningPods(SYSTEM);
  const detail = async () => {
    const answer = await system.kubectl(`get --raw /api/v1/namespaces/${SYSTEM}/pods/${pod?.name}:8080/proxy/readyz`);
    return JSON.parse(answer.stdout).checks.certificate;
  };
  await expect.poll(detail, { timeout: 15_000 }).toMatchObject({ ok: true, detail: expect.stringContaining("RBAC") });
  expect(await admitted()).toBe("injected");
  const { resourceVersion: _, uid: __, ...metadata } = binding.metadata;
  await system.cluster.api.expect("POST", role.slice(0, role.lastIndexOf("/")), { ...binding, metadata });
  await expect.poll(detail, { timeout: 30_000 }).not.toMatchObject({ detail: expect.stringContaining("RBAC") });
});

/** The leaves of managedFields' tree, each by its path. */
function fieldsOf(tree: object, path: readonly string[] = []): string[] {
  return Object.entries(tree)
    .filter(([key]) => key !== ".")
    .flatMap(([key, value]) => {
      const here = [...path, key];
      return Object.keys(value).length === 0 ? [here.join(" ")] : fieldsOf(value, here);
    });
}
