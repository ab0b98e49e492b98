import { fileURLToPath } from "node:url";
import { type Cluster, type ClusterOptions, startCluster } from "../cluster/cluster.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const BASE = fileURLToPath(new URL("../../manifests/base", import.meta.url));

export const SYSTEM = "smc-system";
export const WEBHOOK = "smc-webhook";

/**
 * The cluster with the system installed as the README says: `kubectl apply -k manifests/base`, as it is. What differs
 * from production: the image is this checkout, run by the kubelet's stand-in in a network namespace of its own; nodes
 * are KWOK's, so no other container runs; nothing enforces the NetworkPolicy.
 */
export interface System {
  readonly cluster: Cluster;
  /** Runs kubectl as the administrator; it must succeed. Resolves to its standard output and what it warned of. */
  kubectl(
    command: string,
    stdin?: object | readonly object[],
  ): Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** Turns the mesh's switch. */
  setSwitch(enabled: boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startSystem(options: Pick<ClusterOptions, "apiServerArgs"> = {}): Promise<System> {
  const image = { folder: PROJECT, target: "/app", path: "/app/node_modules/.bin" };
  const images = { "smc-webhook/smc-webhook:0.1.0": image };
  const cluster = await startCluster({ ...options, realPods: { namespaces: [SYSTEM], images } });
  try {
    const kubectl = async (command: string, stdin?: object | readonly object[]) => {
      const input = Array.isArray(stdin) ? { apiVersion: "v1", kind: "List", items: stdin } : stdin;
      const outcome = await cluster.kubectl(command.split(" "), input && { stdin: JSON.stringify(input) });
      if (outcome.code !== 0) throw new Error(`kubectl ${command}: ${outcome.stderr.trim()}`);
      return outcome;
    };
    await cluster.addNodes([{ name: "node-1" }, { name: "node-2" }]);
    await kubectl(`apply -k ${BASE}`);
    await kubectl(`-n ${SYSTEM} rollout status deployment/${WEBHOOK} --timeout=60s`);
    const system: System = {
      cluster,
      kubectl,
      async setSwitch(enabled) {
        await kubectl("apply -f -", {
          apiVersion: "istio.alibabacloud.com/v1beta1",
          kind: "ASMMeshConfig",
          metadata: { name: "default" },
          spec: { cniConfiguration: { enabled: true }, smcEnabled: enabled },
        });
      },
      stop: () => cluster.stop(),
    };
    await system.setSwitch(true);
    return system;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
