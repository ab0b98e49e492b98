import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import type { Api } from "../api.ts";
import type { NetworkHost } from "../network-host.ts";
import { type RunningContainer, runContainer } from "./container.ts";
import type { Images } from "./image.ts";
import { statusOf } from "./status.ts";
import { createVolumes, type Volumes } from "./volumes.ts";

const REFRESH_MS = 1_000;

/** A pod whose containers are processes of this machine. */
export interface RunningPod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly nodeName: string;
  /** Its network: the address is the pod's IP. */
  readonly host: NetworkHost;
  readonly containers: readonly RunningContainer[];
}

export interface PodLife {
  readonly running: RunningPod;
  /** Tells the API how it is, if that has changed. */
  report(): Promise<void>;
  /** Ends it within its grace period and deletes it in the API. Called twice, it does so once. */
  terminate(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Leaves it as it is. */
  letGo(): void;
}

export interface PodOptions {
  readonly api: Api;
  readonly pod: V1Pod;
  readonly images: Images;
  readonly host: NetworkHost;
  readonly folder: string;
}

export async function runPod({ api, pod, images, host, folder }: PodOptions): Promise<PodLife> {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  await mkdir(folder, { recursive: true });
  const volumes = await createVolumes(api, pod, host.address, folder);
  const startTime = new Date();
  const ended = new AbortController();
  let containers: readonly RunningContainer[] = [];
  let fault: string | undefined;
  let told = "";
  let termination: Promise<void> | undefined;

  async function start(): Promise<void> {
    for (;;) {
      fault = await volumes.refresh().then(
        () => undefined,
        (error: unknown) => `${error}`,
      );
      if (ended.signal.aborted) return;
      if (fault === undefined) break;
      await sleep(REFRESH_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    }
    containers = (pod.spec?.containers ?? []).map((container) => {
      const image = images[container.image ?? ""];
      if (!image) throw new Error(`no image is known as ${container.image}`);
      return runContainer({ pod, container, image, host, volumes, folder });
    });
    void keepFresh(volumes, ended.signal);
  }

  async function end(graceSeconds: number): Promise<void> {
    ended.abort();
    await Promise.all(containers.map((container) => container.end(graceSeconds)));
    await host.remove();
  }

  void start().catch((error: unknown) => {
    fault = `${error}`;
  });
  return {
    running: {
      name,
      namespace,
      uid,
      nodeName: pod.spec?.nodeName ?? "",
      host,
      get containers() {
        return containers;
      },
    },
    async report() {
      const status = statusOf({ pod, containers, podIP: host.address, startTime, fault });
      const text = JSON.stringify(status);
      if (text === told) return;
      const answer = await api.request("PATCH", `${path}/status`, { metadata: { uid }, status }, "strategic-merge");
      if (answer.status < 300) told = text;
    },
    async terminate() {
      const seconds = pod.spec?.terminationGracePeriodSeconds ?? 30;
      termination ??= end(seconds).then(async () => {
        await api.request("DELETE", path, { gracePeriodSeconds: 0, preconditions: { uid } });
      });
      await termination;
    },
    kill: () => end(0),
    letGo() {
      ended.abort();
      for (const container of containers) container.letGo();
    },
  };
}

/** An object that is gone or an API server that is away changes nothing: what was mounted stays. */
async function keepFresh(volumes: Volumes, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
    await volumes.refresh().catch(() => undefined);
  }
}
