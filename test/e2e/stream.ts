import { setTimeout as sleep } from "node:timers/promises";
import { ANNOTATION, INIT_CONTAINER } from "../../webhook/admission/names.ts";
import type { Answer } from "../http-client.ts";
import type { System } from "./system.ts";

const LOOPS = 2;
const PAUSE_MS = 50;

/** A pod that was asked for: when, by `performance.now()`, and what came of it. */
export interface Made {
  readonly at: number;
  readonly end: "injected" | "uninjected" | "refused";
  /** What the API server said: of a refused pod, and with a warning. */
  readonly said: string;
}

export interface Stream {
  /** The pods since it was last asked. */
  take(): readonly Made[];
  /** Waits until so many more have been made, so that what was done before has had its effect. */
  more(count: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Makes annotated pods all the time, some twenty-five a second. They name a scheduler that is not there, so they cost the
 * cluster little. While the API server itself is away it waits, as every client has to; nothing else is tried again.
 */
export function streamPods({ cluster: { api } }: System, namespace: string): Stream {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  let made: Made[] = [];
  let count = 0;
  let stopped = false;

  const create = async (): Promise<void> => {
    const at = performance.now();
    const answer = await api.request("POST", path, annotatedPod()).catch(() => undefined);
    if (!answer || isShuttingDown(answer)) {
      await untilReady();
      return;
    }
    made.push({ at, ...endOf(answer) });
    count += 1;
  };
  const untilReady = async () => {
    const says200 = async () => (await api.request("GET", "/readyz")).status === 200;
    while (!stopped && !(await says200().catch(() => false))) await sleep(50);
  };
  const loop = async () => {
    while (!stopped) {
      await create();
      await sleep(PAUSE_MS);
    }
  };

  const loops = Array.from({ length: LOOPS }, loop);
  return {
    take() {
      const taken = made;
      made = [];
      return taken;
    },
    async more(wanted) {
      const enough = count + wanted;
      while (count < enough) await sleep(20);
    },
    async stop() {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

export const annotatedPod = () => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { generateName: "steady-", annotations: { [ANNOTATION.enabled]: "true" } },
  spec: { schedulerName: "nobody", containers: [{ name: "main", image: "main" }] },
});

/** What the API server's answer to a new pod says of it. */
export function endOf({ status, json, text, headers }: Answer): Pick<Made, "end" | "said"> {
  if (status >= 300) return { end: "refused", said: `${status} ${json?.message ?? text}` };
  const names: readonly string[] = (json.spec.initContainers ?? []).map(({ name }: { name: string }) => name);
  return { end: names.includes(INIT_CONTAINER) ? "injected" : "uninjected", said: `${headers.warning ?? ""}` };
}

/** What of the stream did not come out injected: how often each was said. */
export function losses(made: readonly Made[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { end, said } of made) {
    if (end !== "injected") counts[`${end}: ${said}`] = (counts[`${end}: ${said}`] ?? 0) + 1;
  }
  return counts;
}

/** The API server's own words while it ends; it asks to try again, and clients do. A webhook's failure is a 500. */
function isShuttingDown({ status, headers }: Answer): boolean {
  return status === 503 && headers["retry-after"] !== undefined;
}
