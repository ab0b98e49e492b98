import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { send } from "../http-client.ts";
import type { Assets } from "./assets/folder.ts";
import { type Component, type ComponentSpec, createComponent } from "./component.ts";
import type { Credentials } from "./credentials.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { type Network, SERVICE_RANGE } from "./network.ts";
import type { Run } from "./run.ts";

const AUDIT_POLICY = fileURLToPath(new URL("audit-policy.yaml", import.meta.url));

export interface Components {
  readonly etcd: Component;
  readonly apiServer: Component;
  readonly controllerManager: Component;
  readonly scheduler: Component;
  readonly kwok: Component;
}

export interface Parts {
  readonly run: Run;
  readonly network: Network;
  readonly assets: Assets;
  readonly credentials: Credentials;
  /** A file with KWOK's stages. */
  readonly stages: string;
  readonly auditLog: string;
  /** Arguments of the test's own, put last. */
  readonly apiServerArgs: readonly string[];
}

/** The cluster's processes, not yet started. They have a network namespace to themselves, so ports are the usual ones. */
export async function createComponents(parts: Parts): Promise<Components> {
  const { run, network, assets, credentials } = parts;
  const folder = join(run.folder, "kubeconfigs");
  await mkdir(folder);
  const server = `https://${network.address}`;
  const { ca, tokens } = credentials;
  const [manager, scheduler, kwok] = await Promise.all(
    (["controllerManager", "scheduler", "kwok"] as const).map((user) =>
      writeKubeconfig(join(folder, user), { server, ca, token: tokens[user] }),
    ),
  );
  const component = (name: keyof Assets, args: readonly string[], isReady: ComponentSpec["isReady"]) =>
    createComponent(run, network.namespace, { name, command: assets[name], args, isReady });
  const says200 = (address: string) => async () => (await send(address)).status === 200;
  const at = (scheme: string, port: number, path: string) => says200(`${scheme}://${network.address}:${port}${path}`);
  return {
    etcd: component("etcd", etcdArgs(join(run.folder, "etcd")), at("http", 2379, "/health")),
    apiServer: component("kube-apiserver", apiServerArgs(parts), at("https", 443, "/readyz")),
    controllerManager: component(
      "kube-controller-manager",
      [`--kubeconfig=${manager}`, ...controllerManagerArgs(credentials)],
      at("https", 10257, "/healthz"),
    ),
    scheduler: component(
      "kube-scheduler",
      [`--kubeconfig=${scheduler}`, "--leader-elect=false", ...FAST],
      at("https", 10259, "/readyz"),
    ),
    kwok: component("kwok", [`--kubeconfig=${kwok}`, ...kwokArgs(parts.stages)], at("http", 10247, "/healthz")),
  };
}

/** Their defaults (20 and 50 requests a second) would hold back a test that makes pods by the thousand. */
const FAST = ["--kube-api-qps=1000", "--kube-api-burst=2000"];

const etcdArgs = (folder: string) => [
  `--data-dir=${folder}`,
  "--listen-client-urls=http://0.0.0.0:2379",
  "--advertise-client-urls=http://127.0.0.1:2379",
  "--listen-peer-urls=http://127.0.0.1:2380",
  // It need not outlive the machine.
  "--unsafe-no-fsync",
];

function apiServerArgs({ network, credentials: { files }, auditLog, apiServerArgs: more }: Parts): string[] {
  return [
    "--etcd-servers=http://127.0.0.1:2379",
    // The port of the Service `kubernetes`, for its address is here too.
    "--secure-port=443",
    `--advertise-address=${network.address}`,
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    `--tls-cert-file=${files.cert}`,
    `--tls-private-key-file=${files.key}`,
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-signing-key-file=${files.signingKey}`,
    `--service-account-key-file=${files.verifyingKey}`,
    `--token-auth-file=${files.tokens}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    // A webhook's Service leads to the addresses in its EndpointSlices, with no kube-proxy in between.
    "--enable-aggregator-routing=true",
    "--allow-privileged=true",
    // Without it a server that is asked to stop waits a minute for the watches, while it answers nobody.
    "--shutdown-watch-termination-grace-period=2s",
    `--audit-policy-file=${AUDIT_POLICY}`,
    `--audit-log-path=${auditLog}`,
    ...more,
  ];
}

const controllerManagerArgs = ({ files }: Credentials) => [
  "--leader-elect=false",
  // Each controller as the ServiceAccount that it has in a real cluster.
  "--use-service-account-credentials=true",
  `--service-account-private-key-file=${files.signingKey}`,
  `--root-ca-file=${files.ca}`,
  // Longer than the leases of KWOK's nodes.
  "--node-monitor-grace-period=200s",
  ...FAST,
];

const kwokArgs = (stages: string) => [
  `--config=${stages}`,
  "--manage-all-nodes=true",
  // Renewed every 40 s, where a kubelet does it every 10 s: a thousand nodes would keep the API server busy with that.
  "--node-lease-duration-seconds=160",
  "--cidr=10.244.0.0/16",
  "--node-ip=10.0.0.1",
  "--server-address=0.0.0.0:10247",
];
