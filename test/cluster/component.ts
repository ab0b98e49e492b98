import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { spawnInside } from "./network-host.ts";
import type { Run } from "./run.ts";

const START_MS = 60_000;
const LAST_LINES = 15;

/** One of the cluster's own processes. It can be stopped and started again, as it happens in a cluster's life. */
export interface Component {
  readonly name: string;
  /** The file that has its output, over all its starts. */
  readonly log: string;
  /** Resolves when it is ready. @throws Error with the last lines of its log, if it ends before or is late. */
  start(): Promise<void>;
  /** Sends a signal, SIGTERM unless told otherwise, and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ComponentSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Asked again and again until it says true. */
  readonly isReady: () => Promise<boolean>;
}

export function createComponent(run: Run, namespace: string, spec: ComponentSpec): Component {
  const { name, command, args, isReady } = spec;
  const log = join(run.folder, `${name}.log`);
  let child: ChildProcess | undefined;
  return {
    name,
    log,
    async start() {
      if (child) throw new Error(`${name} runs already`);
      const file = await open(log, "a");
      const env = { PATH: process.env.PATH, HOME: run.folder };
      const started = spawnInside(run, namespace, command, args, { stdio: ["ignore", file.fd, file.fd], env });
      await file.close();
      child = started;
      let end: string | undefined;
      started.once("error", (error) => {
        end = `cannot be started: ${error.message}`;
      });
      started.once("exit", (code, signal) => {
        end = `ended with ${code ?? signal} before it was ready`;
        child = undefined;
      });
      const deadline = Date.now() + START_MS;
      while (!(await isReady().catch(() => false))) {
        if (end !== undefined) throw await failure(`${name} ${end}`, log);
        if (Date.now() > deadline) throw await failure(`${name} was not ready after ${START_MS / 1_000} s`, log);
        await sleep(50);
      }
    },
    async stop(signal = "SIGTERM") {
      if (!child) return;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    },
  };
}

async function failure(message: string, log: string): Promise<Error> {
  const text = await readFile(log, "utf8").catch(() => "");
  const lines = text.trimEnd().split("\n").slice(-LAST_LINES);
  return new Error(`${message}. The last lines of ${log}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}
