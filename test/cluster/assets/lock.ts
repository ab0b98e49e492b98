import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { startOf } from "../run.ts";

/** Does the work while holding a lock file, so that two at once do not collide. One of a dead process does not count. */
export async function withLock<T>(file: string, say: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  let told = false;
  while (!(await take(file, mine))) {
    const [pid, start] = (await readFile(file, "utf8").catch(() => "")).trim().split(" ");
    if (pid && startOf(Number(pid)) !== start) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) say(`another process (${pid || "just started"}) is at it: waiting until it is done`);
    told = true;
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
