import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt } from "./command.ts";
import { MARK, namespacesOf, type Run } from "./run.ts";

const PATIENCE_MS = 10_000;

/**
 * Takes away all that a run has left: processes, network namespaces, the link, the folder. It may be called at any
 * moment of the run's life, twice, and by two at once.
 *
 * @throws Error that names the processes which would not end.
 */
export async function sweep(run: Run): Promise<void> {
  await endProcesses(run);
  // Explicitly, for the kernel takes links away only some time after their namespace.
  await attempt("ip", ["link", "delete", run.link]);
  for (const namespace of namespacesOf(run)) await attempt("ip", ["netns", "delete", namespace]);
  await rm(run.folder, { recursive: true, force: true, maxRetries: 5 });
}

async function endProcesses(run: Run): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const pids = await processesOf(run);
    if (pids.length === 0) return;
    if (Date.now() > deadline) throw new Error(`processes that do not end: ${pids.join(", ")}`);
    for (const pid of pids) kill(pid);
    await sleep(20);
  }
}

/** Those that carry the run's mark, and those in its namespaces, which may have lost it. */
async function processesOf(run: Run): Promise<number[]> {
  const pids = new Set(marked(run));
  for (const namespace of namespacesOf(run)) {
    const inside = await attempt("ip", ["netns", "pids", namespace]);
    for (const pid of inside.stdout.split("\n")) if (pid) pids.add(Number(pid));
  }
  pids.delete(process.pid);
  return [...pids];
}

function marked({ id }: Run): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => environmentOf(pid).includes(`${MARK}=${id}`));
}

/** Empty for a process that is gone, or a zombie. */
function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
