import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, connect as dial, type Socket } from "node:net";
import { parse } from "yaml";
import type { Cluster } from "../cluster/cluster.ts";

export interface Route {
  readonly server: string;
  /** What the API server's certificate is for. */
  readonly name: string;
  close(): void;
}

/** The pods of one cluster reach the API server of another through this machine: their networks are apart. */
export async function routeTo(other: Cluster, from: Cluster): Promise<Route> {
  const { hostname } = new URL(other.server);
  const host = new URL(from.server).hostname.replace(/\.1$/, ".254");
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial(443, hostname);
    for (const [one, next] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one
        .on("error", () => next.destroy())
        .on("close", () => next.destroy())
        .pipe(next);
    }
  });
  server.listen(8443, host);
  await once(server, "listening");
  return {
    server: `https://${host}:8443`,
    name: "kubernetes.default.svc",
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/**
 * Applies the definition of ASMMeshConfig in that cluster, and makes an account there that may read these objects and
 * nothing else. Resolves to the account's kubeconfig, by the route.
 */
export async function readerOfMesh(cluster: Cluster, { server, name }: Route, crd: string): Promise<object> {
  const reader = "mesh-reader";
  const apiGroup = "rbac.authorization.k8s.io";
  const rbac = { apiVersion: `${apiGroup}/v1`, metadata: { name: reader } };
  const rules = [{ apiGroups: ["istio.alibabacloud.com"], resources: ["asmmeshconfigs"], verbs: ["list", "watch"] }];
  const roleRef = { apiGroup, kind: "ClusterRole", name: reader };
  const subject = { kind: "ServiceAccount", name: reader, namespace: "default" };
  const items = [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: reader, namespace: "default" } },
    { ...rbac, kind: "ClusterRole", rules },
    { ...rbac, kind: "ClusterRoleBinding", roleRef, subjects: [subject] },
    parse(await readFile(crd, "utf8")),
  ];
  const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  for (const args of [
    ["apply", "-f", "-"],
    ["wait", "--for=condition=established", "crd", "--all", "--timeout=30s"],
  ]) {
    const { code, stderr } = await cluster.kubectl(args, { stdin });
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr.trim()}`);
  }
  const kubeconfig = JSON.parse(await readFile(await cluster.kubeconfigOf("default", reader), "utf8"));
  Object.assign(kubeconfig.clusters[0].cluster, { server, "tls-server-name": name });
  return kubeconfig;
}
