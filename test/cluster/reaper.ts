import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Run, runOf } from "./run.ts";
import { sweep } from "./sweep.ts";

export interface Reaper {
  /** Takes everything of the run away. @throws Error if something is left; standard error says what. */
  reap(): Promise<void>;
}

/**
 * Starts a process that sweeps the run away as soon as its standard input closes: when `reap` is called, and when this
 * process ends, no matter how. A process that is killed cannot clean up after itself, and the kernel closes its pipes.
 */
export function startReaper(run: Run): Reaper {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), run.id], {
    stdio: ["pipe", "ignore", "inherit"],
    // In a session of its own: Ctrl-C must not reach it.
    detached: true,
  });
  const ended = once(child, "exit");
  child.unref();
  return {
    async reap() {
      child.stdin.end();
      child.ref();
      const [code]: unknown[] = await ended;
      if (code !== 0) throw new Error(`the cluster's reaper ended with ${code}`);
    },
  };
}

async function main(id: string): Promise<void> {
  const run = runOf(id);
  process.stdin.resume();
  await once(process.stdin, "close");
  await sweep(run);
}

if (import.meta.main) {
  await main(process.argv[2] ?? "").catch((error: unknown) => {
    console.error(`${error}`);
    process.exitCode = 1;
  });
}
