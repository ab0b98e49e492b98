import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "../command.ts";
import { build, fetchModules, findGo } from "./build.ts";
import { cacheFolder, GIVEN, missingIn } from "./folder.ts";
import { withLock } from "./lock.ts";
import { BINARIES, type Binary, SOURCES } from "./versions.ts";

const LOCK = ".lock";

/** `make cluster-assets`: sees to it that every binary of the cluster is there, in the version that is pinned. */
async function main(): Promise<void> {
  const given = process.env[GIVEN];
  if (given) {
    const missing = missingIn(given);
    if (missing.length === 0) {
      for (const name of await otherVersions(given)) say(`${name} in ${given} has another version than the pinned one`);
      return;
    }
    say(`${GIVEN} is not used: ${given} lacks ${missing.join(", ")}`);
  }
  const folder = cacheFolder();
  if ((await toMake(folder)).length === 0) return;
  await mkdir(folder, { recursive: true });
  // Whoever had the lock before may have made them all.
  await withLock(join(folder, LOCK), say, async () => make(folder, await toMake(folder)));
}

async function make(folder: string, names: readonly Binary[]): Promise<void> {
  if (names.length === 0) return;
  say(`building ${names.join(", ")} from source into ${folder}, once`);
  say("all of them take about ten minutes on two cores, most of it for the first of Kubernetes; Ctrl-C is harmless");
  await removeUnfinished(folder);
  const go = await findGo();
  await timed("the source: Go modules, some 300 MB", () => fetchModules(go));
  for (const name of names) await timed(name, () => build(go, name, folder));
}

/** Those that are missing, and those that say they are of another version. */
async function toMake(folder: string): Promise<Binary[]> {
  return [...missingIn(folder), ...(await otherVersions(folder))];
}

async function otherVersions(folder: string): Promise<Binary[]> {
  const missing = missingIn(folder);
  const asked = BINARIES.filter((name) => !missing.includes(name)).map(async (name) => {
    const { ask, says } = SOURCES[name];
    const { stdout } = await attempt(join(folder, name), ask);
    return stdout.includes(says) ? [] : [name];
  });
  return (await Promise.all(asked)).flat();
}

/** What a build that was interrupted left. */
async function removeUnfinished(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => name.startsWith(".") && name !== LOCK);
  for (const name of left) await rm(join(folder, name), { force: true });
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  say(`  ${what} …`);
  const start = Date.now();
  await work();
  say(`  ${what}: ${Math.round((Date.now() - start) / 1_000)} s`);
}

function say(line: string): void {
  console.log(`cluster-assets: ${line}`);
}

try {
  await main();
} catch (error) {
  console.error(`cluster-assets: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
