import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./api.ts";

const READY_MS = 300_000;

export interface NodeOptions {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
}

/** Makes nodes that KWOK plays, and waits until all are Ready. */
export async function addNodes(api: Api, nodes: readonly NodeOptions[]): Promise<void> {
  await Promise.all(nodes.map((node) => api.expect("POST", "/api/v1/nodes", nodeOf(node))));
  const wanted = new Set(nodes.map(({ name }) => name));
  const deadline = Date.now() + READY_MS;
  for (;;) {
    for (const name of await readyNodes(api)) wanted.delete(name);
    if (wanted.size === 0) return;
    if (Date.now() > deadline) throw new Error(`nodes that are not Ready: ${[...wanted].slice(0, 5).join(", ")} …`);
    // A list of a thousand nodes costs the API server what it needs to make them Ready.
    await sleep(Math.max(100, nodes.length));
  }
}

function nodeOf({ name, labels, annotations, taints }: NodeOptions) {
  const usual = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { ...usual, ...labels }, ...(annotations && { annotations }) },
    ...(taints && { spec: { taints } }),
  };
}

interface ListedNode {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly taints?: readonly { readonly key: string }[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function readyNodes(api: Api): Promise<string[]> {
  const { json } = await api.expect("GET", "/api/v1/nodes");
  const nodes: readonly ListedNode[] = json.items;
  return nodes.filter(isReady).map(({ metadata }) => metadata.name);
}

/** Pods can go there: the node says so, and the taint that it had until then has been taken off. */
function isReady({ spec, status }: ListedNode): boolean {
  const says = status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
  return says && !spec.taints?.some(({ key }) => key === "node.kubernetes.io/not-ready");
}
