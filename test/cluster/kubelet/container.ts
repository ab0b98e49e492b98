import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1ContainerState, V1ContainerStatus } from "@kubernetes/client-node";
import { startProbe } from "./probe.ts";
import { logOf, type SandboxOptions, startInSandbox } from "./sandbox.ts";

/** A kubelet waits for minutes in the end; a test does not. */
const LONGEST_BACKOFF_MS = 10_000;

export interface RunningContainer {
  readonly name: string;
  readonly log: string;
  /** Undefined between two starts. */
  readonly pid: number | undefined;
  readonly status: V1ContainerStatus;
  /** Sends a signal; a container that ends by it is started again. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it for good: SIGTERM, and SIGKILL if that is not enough. */
  end(graceSeconds: number): Promise<void>;
  /** Leaves it as it is, and no longer starts it again. */
  letGo(): void;
}

/** Runs a container, and starts it again whenever it ends. */
export function runContainer(options: SandboxOptions): RunningContainer {
  const { pod, container, host, folder } = options;
  const { name, image = "" } = container;
  const grace = pod.spec?.terminationGracePeriodSeconds ?? 30;
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let state: V1ContainerState = { waiting: { reason: "ContainerCreating" } };
  let lastState: V1ContainerState = {};
  let ready = false;
  let restartCount = 0;

  async function runOnce(): Promise<void> {
    const started = await startInSandbox(options);
    const running = new AbortController();
    child = started;
    const startedAt = new Date();
    state = { running: { startedAt } };
    ready = !container.readinessProbe;
    watch(AbortSignal.any([running.signal, stopping.signal]));
    const [code, signal]: unknown[] = await once(started, "exit");
    running.abort();
    child = undefined;
    ready = false;
    const exitCode = typeof code === "number" ? code : 137;
    const reason = signal ? `${signal}` : exitCode === 0 ? "Completed" : "Error";
    lastState = { terminated: { exitCode, reason, startedAt, finishedAt: new Date() } };
  }

  function watch(signal: AbortSignal): void {
    const { readinessProbe, livenessProbe } = container;
    const tell = (healthy: boolean) => {
      ready = healthy;
    };
    if (readinessProbe) startProbe(readinessProbe, container, host.address, tell, signal);
    const end = (healthy: boolean) => {
      if (!healthy) void endChild(grace);
    };
    if (livenessProbe) startProbe(livenessProbe, container, host.address, end, signal);
  }

  async function endChild(seconds: number): Promise<void> {
    const ending = child;
    if (!ending) return;
    const ended = once(ending, "exit");
    ending.kill("SIGTERM");
    const late = setTimeout(() => ending.kill("SIGKILL"), seconds * 1_000);
    await ended;
    clearTimeout(late);
  }

  async function live(): Promise<void> {
    while (!stopping.signal.aborted) {
      await runOnce();
      state = lastState;
      if (stopping.signal.aborted) return;
      const backoff = restartCount === 0 ? 0 : Math.min(1_000 * 2 ** (restartCount - 1), LONGEST_BACKOFF_MS);
      state = { waiting: { reason: "CrashLoopBackOff" } };
      await sleep(backoff, undefined, { signal: stopping.signal }).catch(() => undefined);
      restartCount += 1;
    }
  }

  const life = live().catch((error: unknown) => {
    state = { waiting: { reason: "CreateContainerError", message: `${error}` } };
  });
  return {
    name,
    log: logOf(folder, container),
    get pid() {
      return child?.pid;
    },
    get status() {
      return { name, image, imageID: "", ready, started: child !== undefined, restartCount, state, lastState };
    },
    kill: (signal) => void child?.kill(signal),
    letGo: () => stopping.abort(),
    async end(seconds) {
      stopping.abort();
      await endChild(seconds);
      await life;
    },
  };
}
