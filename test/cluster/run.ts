import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * One cluster's life. Everything of it carries its id: processes in their environment, network namespaces in their
 * names, files in the name of their folder. So whoever knows the id finds it all, without a list that could be lost.
 */
export interface Run {
  /** smc-cluster-<pid of the owner>-<when the owner started, in ticks since boot>-<random> */
  readonly id: string;
  readonly folder: string;
  /** The host's end of the cable into the cluster. The kernel allows 15 characters. */
  readonly link: string;
}

/** The variable that every process of a run has in its environment. */
export const MARK = "SMC_CLUSTER_RUN";
const ID = /^(smc-cluster-(\d+)-(\d+)-[0-9a-f]{8})(?:\.|$)/;
const NAMESPACES = "/run/netns";

export function newRun(): Run {
  return runOf(`smc-cluster-${process.pid}-${startOf(process.pid)}-${randomBytes(4).toString("hex")}`);
}

export function runOf(id: string): Run {
  if (!ID.test(id)) throw new Error(`${id} is not the id of a cluster's run`);
  const short = createHash("sha256").update(id).digest("hex").slice(0, 8);
  return { id, folder: join(tmpdir(), id), link: `smc-${short}` };
}

/** The name of one of the run's network namespaces. */
export const namespaceOf = ({ id }: Run, name: string) => `${id}.${name}`;

/** The names of the run's network namespaces, as they are now. */
export const namespacesOf = ({ id }: Run) => entries(NAMESPACES).filter((name) => name.startsWith(`${id}.`));

/** Runs that left something behind and whose owner is no more. */
export function deadRuns(): Run[] {
  const ids = new Set<string>();
  for (const name of [...entries(NAMESPACES), ...entries(tmpdir())]) {
    const [, id, pid, start] = ID.exec(name) ?? [];
    if (id && start !== startOf(Number(pid))) ids.add(id);
  }
  return [...ids].map(runOf);
}

/** When a process started, in ticks since boot: with its pid, a name that is never used twice. Undefined: it is gone. */
export function startOf(pid: number): string | undefined {
  try {
    // The process's name, in brackets, may hold spaces and brackets; the 22nd field is the 20th after it.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** A folder's entries; none where it does not exist. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
