import { once } from "node:events";
import { startCluster } from "./cluster.ts";

/** `make cluster`: a cluster for a person to play with, until Ctrl-C. */
const NODES = ["node-1", "node-2", "node-3"];

async function main(): Promise<void> {
  console.log("cluster: coming up, about ten seconds");
  const start = Date.now();
  const cluster = await startCluster();
  // Until here a signal ends this process as usual, and the cluster with it.
  const end = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  try {
    await cluster.addNodes(NODES.map((name) => ({ name })));
    console.log(`cluster: up after ${Math.round((Date.now() - start) / 1_000)} s, with ${NODES.length} nodes that KWOK plays

In another terminal:

  export KUBECONFIG=${cluster.kubeconfig}
  alias kubectl=${cluster.kubectlPath}
  kubectl get nodes
  kubectl create deployment hello --image=hello --replicas=2
  kubectl get pods --watch

Pods are seen through all their states, but no container runs. Logs are in ${cluster.folder}.
Ctrl-C takes everything away.`);
    await end;
  } finally {
    console.log("\ncluster: going down");
    await cluster.stop();
  }
}

try {
  await main();
} catch (error) {
  console.error(`cluster: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
