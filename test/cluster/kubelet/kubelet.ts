import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import type { Api } from "../api.ts";
import type { NetworkHost } from "../network-host.ts";
import type { Images } from "./image.ts";
import { type PodLife, type RunningPod, runPod } from "./pod.ts";

const ROUND_MS = 200;

export interface KubeletOptions {
  readonly api: Api;
  /** Those whose pods it runs, on whatever nodes they are. */
  readonly namespaces: readonly string[];
  readonly images: Images;
  readonly folder: string;
  readonly networkHost: (name: string) => Promise<NetworkHost>;
}

export interface Kubelet {
  readonly pods: readonly RunningPod[];
  /** Lets go of the pods, as they are. */
  stop(): void;
}

/**
 * Runs the pods of some namespaces as processes of this machine, in network and mount namespaces of their own: what
 * this project needs of a kubelet, for the nodes that KWOK plays. It looks at the API a few times a second rather than
 * watching it, so it outlives every restart of the API server.
 */
export function startKubelet({ api, namespaces, images, folder, networkHost }: KubeletOptions): Kubelet {
  const lives = new Map<string, PodLife>();
  const log = join(folder, "kubelet.log");
  let stopped = false;

  async function round(): Promise<void> {
    const lists = await Promise.all(namespaces.map((each) => api.expect("GET", `/api/v1/namespaces/${each}/pods`)));
    const pods: V1Pod[] = lists.flatMap(({ json }) => json.items);
    for (const pod of pods) await look(pod);
    const present = new Set(pods.map(({ metadata }) => metadata?.uid));
    for (const [uid, life] of lives) {
      if (present.has(uid)) continue;
      lives.delete(uid);
      note(life.kill());
    }
    for (const life of lives.values()) await life.report();
  }

  async function look(pod: V1Pod): Promise<void> {
    const { uid = "", name = "", namespace = "", deletionTimestamp } = pod.metadata ?? {};
    const life = lives.get(uid);
    if (deletionTimestamp) {
      if (life) note(life.terminate());
      else await api.request("DELETE", `/api/v1/namespaces/${namespace}/pods/${name}`, { gracePeriodSeconds: 0 });
    } else if (!life && pod.spec?.nodeName) {
      const host = await networkHost(`pod-${uid}`);
      lives.set(uid, await runPod({ api, pod, images, host, folder: join(folder, namespace, name) }));
    }
  }

  /** What goes wrong is for whoever reads the log; the next round tries again. */
  function note(work: Promise<void>): void {
    work.catch((error: unknown) => appendFile(log, `${new Date().toISOString()} ${error}\n`).catch(() => undefined));
  }

  async function keepLooking(): Promise<void> {
    while (!stopped) {
      const looked = round();
      note(looked);
      await looked.catch(() => undefined);
      await sleep(ROUND_MS);
    }
  }

  void keepLooking();
  return {
    get pods() {
      return [...lives.values()].map(({ running }) => running);
    },
    stop() {
      stopped = true;
      for (const life of lives.values()) life.letGo();
    },
  };
}
