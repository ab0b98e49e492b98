import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { startCluster } from "./cluster.ts";
import { run } from "./command.ts";
import { runOf } from "./run.ts";

const RUNNER = fileURLToPath(new URL("gone-runner.ts", import.meta.url));
const PATIENCE = { timeout: 10_000, interval: 200 };

let runner: ChildProcess | undefined;
afterEach(() => runner?.kill("SIGKILL"));

/** All that there is of a cluster on this machine, looked for with other eyes than those of the code that takes it away. */
async function remainsOf(folder: string): Promise<string[]> {
  const { id, link } = runOf(basename(folder));
  const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(id));
  const links = (await run("ip", ["-brief", "link"])).split("\n").filter((line) => line.startsWith(link));
  const namespaces = (await run("ip", ["netns", "list"])).split("\n").filter((line) => line.startsWith(id));
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(id));
  return [...processes, ...links, ...namespaces, ...mounts, ...(existsSync(folder) ? [folder] : [])];
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

async function startRunner(): Promise<{ child: ChildProcess; folder: string }> {
  // In a process group of its own, as a terminal's foreground job.
  const child = spawn(process.execPath, [RUNNER], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  runner = child;
  const [line]: unknown[] = await once(child.stdout, "data");
  const folder = `${line}`.trim();
  expect((await remainsOf(folder)).length).toBeGreaterThan(8);
  return { child, folder };
}

test("nothing is left of a cluster whose process is killed", async () => {
  const { child, folder } = await startRunner();
  child.kill("SIGKILL");
  await expect.poll(() => remainsOf(folder), PATIENCE).toEqual([]);
});

test("nothing is left after Ctrl-C", async () => {
  const { child, folder } = await startRunner();
  process.kill(-(child.pid ?? Number.NaN), "SIGINT");
  await expect.poll(() => remainsOf(folder), PATIENCE).toEqual([]);
});

test("nothing is left of a cluster that does not come up, and the error says why", async () => {
  const failed = startCluster({ apiServerArgs: ["--no-such-flag"] }).then(
    () => "it came up",
    (error: unknown) => `${error}`,
  );
  const message = await failed;
  expect(message).toContain("kube-apiserver ended with 1 before it was ready");
  expect(message).toContain("unknown flag: --no-such-flag");
  const [folder = ""] = /\/\S*smc-cluster-[^/]+/.exec(message) ?? [];
  expect(await remainsOf(folder)).toEqual([]);
});

test("what a run has left whose cleaner was killed too, the next start takes away", async () => {
  const { child, folder } = await startRunner();
  process.kill(reaperOf(folder), "SIGKILL");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect((await remainsOf(folder)).length).toBeGreaterThan(8);
  await (await startCluster()).stop();
  expect(await remainsOf(folder)).toEqual([]);
});

function reaperOf(folder: string): number {
  const pids = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid));
  const line = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, "utf8");
  const isReaper = (pid: string) => line(pid).includes("reaper.ts") && line(pid).includes(basename(folder));
  return Number(pids.find((pid) => existsSync(`/proc/${pid}/cmdline`) && isReaper(pid)));
}
