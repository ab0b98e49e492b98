import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import type { Network } from "./network.ts";
import { MARK, namespaceOf, type Run } from "./run.ts";

/** A network namespace with an address that the API server and this machine reach: what a pod has. */
export interface NetworkHost {
  readonly name: string;
  readonly address: string;
  /** The name of the namespace, for `ip netns exec`. */
  readonly namespace: string;
  /** Runs a command inside. `pid` is that of the command itself. It ends at the latest with the host. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Ends what runs inside, and takes the namespace away. */
  remove(): Promise<void>;
}

/** @throws Error if the name is taken, or has other characters than a-z, 0-9 and hyphens. */
export async function createNetworkHost(run: Run, network: Network, name: string): Promise<NetworkHost> {
  if (!/^[a-z0-9-]+$/.test(name)) throw new Error(`"${name}" is no name for a host: use a-z, 0-9 and hyphens`);
  const namespace = namespaceOf(run, name);
  const address = await network.plug(namespace);
  const living = new Set<ChildProcess>();
  return {
    name,
    address,
    namespace,
    spawn(command, args, options) {
      const child = spawnInside(run, namespace, command, args, options);
      living.add(child);
      child.once("exit", () => living.delete(child));
      return child;
    },
    async remove() {
      const ends = [...living].map((child) => once(child, "exit"));
      for (const child of living) child.kill("SIGKILL");
      await Promise.all(ends);
      await network.unplug(namespace);
    },
  };
}

/** Starts a command in one of the run's namespaces, with the run's mark, and out of reach of the terminal's Ctrl-C. */
export function spawnInside(
  { id }: Run,
  namespace: string,
  command: string,
  args: readonly string[],
  { env = process.env, ...options }: SpawnOptions = {},
): ChildProcess {
  // `ip netns exec` replaces itself by the command, so the pid is the command's.
  return spawn("ip", ["netns", "exec", namespace, command, ...args], {
    ...options,
    detached: true,
    env: { ...env, [MARK]: id },
  });
}
