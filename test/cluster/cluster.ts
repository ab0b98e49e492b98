import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Api, connect } from "./api.ts";
import { findAssets } from "./assets/folder.ts";
import { type AuditEvent, readAuditLog } from "./audit.ts";
import { attempt, type Outcome } from "./command.ts";
import { type Components, createComponents } from "./control-plane.ts";
import { makeCredentials } from "./credentials.ts";
import { type EndpointPort, setEndpoints } from "./endpoints.ts";
import { compactEtcd } from "./etcd.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import type { Images } from "./kubelet/image.ts";
import { startKubelet } from "./kubelet/kubelet.ts";
import type { RunningPod } from "./kubelet/pod.ts";
import { createNetwork } from "./network.ts";
import { createNetworkHost, type NetworkHost } from "./network-host.ts";
import { addNodes, type NodeOptions } from "./nodes.ts";
import { startReaper } from "./reaper.ts";
import { deadRuns, newRun, type Run } from "./run.ts";
import { writeStages } from "./stages.ts";
import { sweep } from "./sweep.ts";

export interface ClusterOptions {
  /** Arguments for kube-apiserver besides those it gets anyway. */
  readonly apiServerArgs?: readonly string[];
  /** Pods that really run, as processes of this machine; KWOK plays all others. */
  readonly realPods?: { readonly namespaces: readonly string[]; readonly images: Images };
}

/** A Kubernetes cluster of this process's own: real but for its nodes, which KWOK plays. */
export interface Cluster {
  /** https://address. From this machine and from every NetworkHost. */
  readonly server: string;
  /** PEM: what the API server's certificate chains to. */
  readonly ca: string;
  /** The administrator's file. */
  readonly kubeconfig: string;
  /** The kubectl of the cluster's version. */
  readonly kubectlPath: string;
  /** Everything that the cluster writes is in here, logs too. It goes with the cluster. */
  readonly folder: string;
  readonly components: Components;
  /** The API as the administrator. */
  readonly api: Api;
  /** Runs kubectl as the administrator, or with another kubeconfig file. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<Outcome>;
  /** Writes a kubeconfig file for a ServiceAccount, with a token as its pods would get. */
  kubeconfigOf(namespace: string, serviceAccount: string, options?: TokenOptions): Promise<string>;
  /** Makes nodes that KWOK plays, and waits until all are Ready. */
  addNodes(nodes: readonly NodeOptions[]): Promise<void>;
  /** Gives a Service without a selector its addresses. */
  setEndpoints(
    namespace: string,
    service: string,
    addresses: readonly string[],
    ports: readonly EndpointPort[],
  ): Promise<void>;
  /** Makes a network namespace for a server that is no pod. */
  networkHost(name: string): Promise<NetworkHost>;
  /** The pods of a namespace that really run: their processes, logs and addresses. */
  runningPods(namespace: string): readonly RunningPod[];
  restartApiServer(): Promise<void>;
  compactEtcd(): Promise<void>;
  /** The API server's /metrics. */
  metrics(): Promise<string>;
  /** The API server's audit log: those events that are wanted. */
  auditEvents(wanted?: (event: AuditEvent) => boolean): Promise<AuditEvent[]>;
  /** Takes all of it away. */
  stop(): Promise<void>;
}

export interface KubectlOptions {
  readonly stdin?: string;
  readonly kubeconfig?: string;
}

export interface TokenOptions {
  /** An hour unless told otherwise; the API server allows no less than ten minutes. */
  readonly seconds?: number;
}

/**
 * Brings a cluster up. It goes when it is stopped, and when this process ends, no matter how.
 *
 * @throws Error that says which part failed, with the last lines of its log; nothing is left behind then.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  if (process.getuid?.() !== 0) throw new Error("the cluster needs root: it makes network namespaces");
  const assets = findAssets();
  for (const dead of deadRuns()) await sweep(dead);
  const run = newRun();
  const reaper = startReaper(run);
  try {
    return await start(run, assets, options, () => reaper.reap());
  } catch (error) {
    await reaper.reap();
    throw error;
  }
}

type Assets = ReturnType<typeof findAssets>;

async function start(run: Run, assets: Assets, options: ClusterOptions, reap: () => Promise<void>): Promise<Cluster> {
  const { apiServerArgs = [], realPods = { namespaces: [], images: {} } } = options;
  const { folder } = run;
  await mkdir(folder, { mode: 0o700 });
  const network = await createNetwork(run);
  const server = `https://${network.address}`;
  const credentials = await makeCredentials(join(folder, "credentials"), network.address);
  const { ca, tokens } = credentials;
  const stages = await writeStages(join(folder, "stages.yaml"), realPods.namespaces);
  const auditLog = join(folder, "audit.log");
  const components = await createComponents({ run, network, assets, credentials, stages, auditLog, apiServerArgs });
  const kubeconfig = await writeKubeconfig(join(folder, "kubeconfig"), { server, ca, token: tokens.admin });
  const api = connect({ server, ca, token: tokens.admin });
  await components.etcd.start();
  await components.apiServer.start();
  await Promise.all([components.controllerManager.start(), components.scheduler.start(), components.kwok.start()]);
  await defaultAccount(api);
  const networkHost = (name: string) => createNetworkHost(run, network, name);
  const kubeletApi = connect({ server, ca, token: tokens.kubelet });
  const kubelet = startKubelet({ api: kubeletApi, ...realPods, folder: join(folder, "pods"), networkHost });
  let stopped: Promise<void> | undefined;
  return {
    server,
    ca,
    kubeconfig,
    kubectlPath: assets.kubectl,
    folder,
    components,
    api,
    kubectl: (args, { stdin, kubeconfig: file = kubeconfig } = {}) =>
      attempt(assets.kubectl, args, {
        env: { ...process.env, KUBECONFIG: file, HOME: folder },
        ...(stdin !== undefined && { stdin }),
      }),
    async kubeconfigOf(namespace, serviceAccount, { seconds = 3_600 } = {}) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
      const { json } = await api.expect("POST", path, {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: seconds },
      });
      const token: string = json.status.token;
      const file = join(folder, "kubeconfigs", `${namespace}.${serviceAccount}`);
      return await writeKubeconfig(file, { server, ca, token, namespace });
    },
    addNodes: (nodes) => addNodes(api, nodes),
    setEndpoints: (...args) => setEndpoints(api, ...args),
    networkHost,
    runningPods: (namespace) => kubelet.pods.filter((pod) => pod.namespace === namespace),
    async restartApiServer() {
      await components.apiServer.stop();
      await components.apiServer.start();
    },
    compactEtcd: () => compactEtcd(network.address),
    metrics: async () => (await api.expect("GET", "/metrics")).text,
    auditEvents: (wanted = () => true) => readAuditLog(auditLog, wanted),
    async stop() {
      kubelet.stop();
      kubeletApi.close();
      api.close();
      stopped ??= reap();
      await stopped;
    },
  };
}

/** Pods can be made in a namespace as soon as its ServiceAccount is there. */
async function defaultAccount(api: Api): Promise<void> {
  while ((await api.request("GET", "/api/v1/namespaces/default/serviceaccounts/default")).status !== 200) {
    await sleep(50);
  }
}
