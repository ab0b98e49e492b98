import { startCluster } from "./cluster.ts";

/** A process with a cluster, for gone.e2e.ts to end in all the ways that a process can end. Prints the cluster's folder. */
const cluster = await startCluster();
const host = await cluster.networkHost("busy");
host.spawn("sleep", ["infinity"], { stdio: "ignore" });
console.log(cluster.folder);
setInterval(() => undefined, 1_000);
