import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type ClusterClient, type ClusterClientOptions, openClusterClient } from "../../webhook/cluster/client.ts";
import { type Delivery, type WatchOptions, watchObjects } from "../../webhook/cluster/watch.ts";
import { recordedLog } from "../mesh/mesh-folder.ts";
import { type FakeApiServer, startFakeApiServer } from "./fake-api-server.ts";

export const NODES = "/api/v1/nodes";

export interface KubeconfigParts {
  readonly server: string;
  /** Lines of the user's entry, as YAML. */
  readonly user?: string;
  /** Lines of the cluster's entry; without them certificates are not verified, which plain HTTP needs here. */
  readonly cluster?: string;
}

/** Writes a kubeconfig, removed after the test; returns its path. */
export function kubeconfig({ server, user = "token: secret-token", cluster }: KubeconfigParts): string {
  const folder = mkdtempSync(join(tmpdir(), "smc-kubeconfig-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "config");
  writeFileSync(file, kubeconfigText({ server, user, ...(cluster !== undefined && { cluster }) }));
  return file;
}

export const kubeconfigText = ({ server, user = "", cluster = "insecure-skip-tls-verify: true" }: KubeconfigParts) =>
  `apiVersion: v1
kind: Config
current-context: test
contexts: [{ name: test, context: { cluster: test, user: test } }]
clusters:
- name: test
  cluster:
    server: ${server}
    ${cluster}
users:
- name: test
  user:
    ${user}
`;

/** A client of a server, closed after the test. */
export async function clientOf(
  server: string,
  options: Omit<ClusterClientOptions, "kubeconfig"> = {},
): Promise<ClusterClient> {
  const client = await openClusterClient({ kubeconfig: kubeconfig({ server }), ...options });
  onTestFinished(() => client.close());
  return client;
}

export async function fakeAndClient(
  options: Omit<ClusterClientOptions, "kubeconfig"> = {},
): Promise<{ readonly fake: FakeApiServer; readonly client: ClusterClient }> {
  const fake = await startFakeApiServer();
  return { fake, client: await clientOf(fake.url, options) };
}

export const node = (name: string, labels: Readonly<Record<string, string>> = {}) => ({ metadata: { name, labels } });

/** The name and one label of an object: enough to tell which version of it was delivered. */
export function nameAndMark(object: unknown): string {
  const { metadata } = object as { metadata: { name: string; labels?: Record<string, string> } };
  return `${metadata.name}${metadata.labels?.mark ? `=${metadata.labels.mark}` : ""}`;
}

/** Watches nodes; `told` has every delivery as a line, `known` what they come to. */
export function watchNodes(client: ClusterClient, options: Partial<WatchOptions<string>> = {}) {
  const told: string[] = [];
  let known: readonly string[] | undefined;
  const log = recordedLog();
  const deliver = (delivery: Delivery<string>) => {
    if (delivery.kind === "replace") {
      told.push(`replace ${delivery.objects.length}`);
      known = delivery.objects;
      return;
    }
    told.push(`${delivery.kind} ${delivery.object}`);
    const others = (known ?? []).filter((one) => one.split("=")[0] !== delivery.object.split("=")[0]);
    known = delivery.kind === "delete" ? others : [...others, delivery.object];
  };
  const watch = watchObjects({ client, path: NODES, log, read: nameAndMark, deliver, ...options });
  onTestFinished(() => watch.close());
  return {
    watch,
    log,
    told,
    get known() {
      return [...(known ?? [])].sort();
    },
  };
}

/** The port that a server listens on; it is closed after the test. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    if ("closeAllConnections" in server && typeof server.closeAllConnections === "function")
      server.closeAllConnections();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
