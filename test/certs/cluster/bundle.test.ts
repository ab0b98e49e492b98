import { expect, it, onTestFinished } from "vitest";
import { configurationStore } from "../../../certs/cluster/configuration.ts";
import { bundlePublisher } from "../../../certs/cluster/publish.ts";
import { issueCa } from "../../../certs/issue.ts";
import { openClusterClient } from "../../../webhook/cluster/client.ts";
import { pause, until } from "../open.ts";
import { NAMES, recordingLog } from "../scene.ts";
import type { FakeApiServer } from "./fake-api-server.ts";
import {
  CONFIGURATION,
  kubeconfigFile,
  POLL_MS,
  publishedBundle,
  secretText,
  startCluster,
  startReplica,
} from "./scene.ts";
import { seed } from "./seed.ts";

const NAME = "pods.smc.asm.alibabacloud.com";
const inOrder = (cluster: FakeApiServer) =>
  until(() => expect(publishedBundle(cluster)).toBe(secretText(cluster, "ca.crt")));
/** What an apply of the manifest by a tool that replaces does. */
const wipe = ({ configurations }: FakeApiServer) =>
  configurations.update("smc-webhook", structuredClone(CONFIGURATION));

it("the bundle is the only field that changes, and only in webhooks that call us", async () => {
  const cluster = await startCluster();
  const { webhooks } = structuredClone(CONFIGURATION);
  const other = {
    ...webhooks[0],
    name: "other.example",
    clientConfig: { service: { name: "other", namespace: "smc-system" } },
  };
  const second = { ...webhooks[0], name: "second.example", failurePolicy: "Fail" };
  cluster.configurations.update("smc-webhook", {
    ...structuredClone(CONFIGURATION),
    webhooks: [other, ...webhooks, second],
  });
  await seed(cluster);
  await startReplica(cluster);
  const caBundle = Buffer.from(secretText(cluster, "ca.crt")).toString("base64");
  const withBundle = (webhook: typeof other) => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } });
  await until(() =>
    expect(cluster.configurations.get("smc-webhook").webhooks).toEqual([
      other,
      withBundle(webhooks[0]),
      withBundle(second),
    ]),
  );
  expect(cluster.configurations.events).toHaveLength(3);
});

it("a bundle that is wiped is back at once, and where watching is forbidden, with the next look", async () => {
  const cluster = await startCluster();
  await seed(cluster);
  await startReplica(cluster, { pollMs: 4000 });
  await inOrder(cluster);
  await pause(1100);
  wipe(cluster);
  const start = performance.now();
  await inOrder(cluster);
  expect(performance.now() - start).toBeLessThan(1500);

  const blind = await startCluster();
  blind.refuse = ({ verb }) => (verb === "watch" || verb === "list" ? 403 : undefined);
  await seed(blind);
  await startReplica(blind);
  await inOrder(blind);
  wipe(blind);
  await inOrder(blind);
});

it("a configuration that is not there is reported once, and noticed when it appears", async () => {
  const cluster = await startCluster();
  cluster.configurations.remove("smc-webhook");
  await seed(cluster);
  const { certificate, warnings } = await startReplica(cluster);
  await pause(4 * POLL_MS);
  expect(certificate.check().ok).toBe(true);
  expect(warnings()).toEqual([
    expect.stringContaining("MutatingWebhookConfiguration smc-webhook is not there: apply it"),
  ]);
  cluster.configurations.create(structuredClone(CONFIGURATION));
  await inOrder(cluster);
  await until(() => expect(certificate.check().detail).toMatch(/^valid until [^;]+$/));
});

it("a configuration whose webhooks call somebody else is left alone, and reported", async () => {
  const cluster = await startCluster();
  await seed(cluster);
  const { certificate } = await startReplica(cluster, { dnsNames: ["other.smc-system.svc"], ipAddresses: [] });
  await until(() => expect(certificate.check().detail).toContain("calls a name of this certificate"));
  expect(publishedBundle(cluster)).toBe("");
});

it("a patch that is forbidden is named, and the service serves on", async () => {
  const cluster = await startCluster();
  cluster.refuse = ({ verb }) => (verb === "patch" ? 403 : undefined);
  await seed(cluster);
  const { certificate } = await startReplica(cluster);
  await until(() => expect(certificate.check().detail).toMatch(/cannot patch it: grant it in RBAC/));
  expect(certificate.check().ok).toBe(true);
});

it("a replica that has slept publishes no older bundle over a newer one", async () => {
  const cluster = await startCluster();
  const client = await openClusterClient({ kubeconfig: await kubeconfigFile(cluster.url, "slow") });
  onTestFinished(() => client.close());
  const { signal } = new AbortController();
  const store = configurationStore({ client, configuration: "smc-webhook", names: NAMES, signal });
  const publisher = bundlePublisher({ store, gapMs: 0, log: recordingLog().log });
  const [older, newer] = [(await issueCa({ now: new Date() })).cert, (await issueCa({ now: new Date() })).cert];
  const seen = await store.read();
  if (!seen) throw new Error("no configuration");
  cluster.configurations.merge("smc-webhook", {
    webhooks: [{ name: NAME, clientConfig: { caBundle: Buffer.from(newer).toString("base64") } }],
  });
  expect(await publisher.publish(seen, older)).toEqual({ published: seen, againMs: 0 });
  expect(publishedBundle(cluster)).toBe(newer);
});

it("somebody who writes the field again and again is not raced, and is named", async () => {
  const cluster = await startCluster();
  await seed(cluster);
  const pollMs = 400;
  const { certificate } = await startReplica(cluster, { pollMs });
  await inOrder(cluster);
  const { events } = cluster.configurations;
  const [start, before] = [performance.now(), events.length];
  for (let times = 0; times < 9; times++) {
    expect(certificate.check().detail).not.toContain("somebody else");
    wipe(cluster);
    await inOrder(cluster);
  }
  await until(() => expect(certificate.check().detail).toContain("somebody else writes caBundle again and again"));
  expect(events).toHaveLength(before + 18);
  expect(performance.now() - start).toBeGreaterThan(8 * (pollMs / 4));
});
