import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fingerprint, issueFrom, readSecret, SECRET, servedCertificates, trustedRoots, writeSecret } from "./served.ts";
import { ignoreFailuresIn, openShop } from "./shop.ts";
import { annotatedPod, endOf, losses, type Made, streamPods } from "./stream.ts";
import { SYSTEM, type System, startSystem, WEBHOOK } from "./system.ts";

/** Where pods that the webhook does not answer for are refused, and where they pass uninjected. */
const [FAIL, IGNORE] = ["shop-fail", "shop-ignore"];

let system: System;

beforeAll(async () => {
  system = await startSystem();
  for (const namespace of [FAIL, IGNORE]) await openShop(system, namespace);
  await ignoreFailuresIn(system, IGNORE);
  // The second webhook has a caBundle as soon as it is there: wait until the replicas have seen it, too.
  await sleep(1_000);
});
afterAll(() => system?.stop());

const rolledOut = async () => {
  await system.kubectl(`-n ${SYSTEM} rollout status deployment/${WEBHOOK} --timeout=60s`);
  await expect.poll(() => system.cluster.runningPods(SYSTEM).length, { timeout: 20_000 }).toBe(2);
};
const newest = async () => fingerprint((await readSecret(system))["tls.crt"]);
const allServe = (print: string) => expect.poll(() => servedCertificates(system), { timeout: 15_000 }).toEqual([print]);

describe("while pods are made, where the webhook's failures refuse them and where they are ignored", () => {
  let streams: readonly ReturnType<typeof streamPods>[];

  beforeAll(async () => {
    streams = [FAIL, IGNORE].map((namespace) => streamPods(system, namespace));
    await more(20);
  });
  afterAll(() => Promise.all((streams ?? []).map((stream) => stream.stop())));

  const more = (count: number) => Promise.all(streams.map((stream) => stream.more(count)));
  const take = (): readonly Made[] => streams.flatMap((stream) => stream.take());

  /** What a step costs: the pods that were not injected, from before it until it is well over. */
  const cost = async (step: () => Promise<unknown>) => {
    await more(5);
    take();
    await step();
    await more(30);
    return losses(take());
  };

  test("a rolling restart costs none", async () => {
    const restart = async () => {
      await system.kubectl(`-n ${SYSTEM} rollout restart deployment/${WEBHOOK}`);
      await rolledOut();
    };
    expect(await cost(restart)).toEqual({});
  });

  test("a leaf that is renewed costs none", async () => {
    // Half an hour is left, an hour is over: two thirds of its life.
    const aged = await issueFrom(await readSecret(system), 0.02);
    const renew = async () => {
      await writeSecret(system, { "tls.crt": aged.cert, "tls.key": aged.key });
      await expect.poll(newest, { timeout: 15_000 }).not.toBe(fingerprint(aged.cert));
      await allServe(await newest());
    };
    expect(await cost(renew)).toEqual({});
  });

  test("a new CA, for the Secret was deleted, costs none", async () => {
    const [before] = await trustedRoots(system);
    const change = async () => {
      await system.cluster.api.expect("DELETE", SECRET);
      await expect.poll(async () => (await trustedRoots(system))[0], { timeout: 15_000 }).not.toBe(before);
      await sleep(6_000);
      // What a replica does when the new CA has been published for ten minutes.
      const leaf = await issueFrom(await readSecret(system), 30);
      await writeSecret(system, { "tls.crt": leaf.cert, "tls.key": leaf.key });
      await allServe(fingerprint(leaf.cert));
    };
    expect(await cost(change)).toEqual({});
    expect(await trustedRoots(system)).toContain(before);
  });

  test("etcd's compaction costs none", async () => {
    expect(await cost(() => system.cluster.compactEtcd())).toEqual({});
  });

  test("a restart of the API server costs none", async () => {
    expect(await cost(() => system.cluster.restartApiServer())).toEqual({});
  });

  test("a replica that is killed costs pods only until the API server has heard of it", async () => {
    for (const index of [0, 1]) {
      await more(20);
      take();
      const killedAt = performance.now();
      system.cluster.runningPods(SYSTEM)[index]?.containers[0]?.kill("SIGKILL");
      await more(70);
      const made = take();
      const lost = made.filter(({ end }) => end !== "injected").sort((one, other) => one.at - other.at);
      const [first, last] = [lost.at(0), lost.at(-1)].map((pod) => Math.round((pod?.at ?? killedAt) - killedAt));
      const rate = Math.round((made.length * 1_000) / (performance.now() - killedAt));
      console.info(
        `SIGKILL: ${lost.length} of ${made.length} pods (${rate}/s), ${first} to ${last} ms after it`,
        losses(lost),
      );
      expect(last).toBeLessThan(4_000);
      expect(lost.length).toBeLessThan(made.length / 2);
      await rolledOut();
    }
  });
});

test("with both replicas down and Ignore pods start over TCP, and the next one after recovery is injected", async () => {
  const path = `/api/v1/namespaces/${IGNORE}/pods`;
  const create = async () => endOf(await system.cluster.api.request("POST", path, annotatedPod())).end;
  await system.kubectl(`-n ${SYSTEM} scale deployment/${WEBHOOK} --replicas=0`);
  await expect.poll(() => system.cluster.runningPods(SYSTEM).length, { timeout: 30_000 }).toBe(0);
  expect(await create()).toBe("uninjected");
  const { metadata } = annotatedPod();
  const spec = { containers: [{ name: "main", image: "main" }] };
  await system.cluster.api.expect("POST", path, { metadata: { ...metadata, name: "over-tcp" }, spec });
  await system.kubectl(`-n ${IGNORE} wait --for=condition=ready pod/over-tcp --timeout=30s`);

  await system.kubectl(`-n ${SYSTEM} scale deployment/${WEBHOOK} --replicas=2`);
  await rolledOut();
  expect(await create()).toBe("injected");
});
