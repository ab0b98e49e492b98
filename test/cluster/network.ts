import { attempt, run as command } from "./command.ts";
import { namespaceOf, type Run } from "./run.ts";

/** The first address of the cluster's Services, at which the API server answers as the Service `kubernetes`. */
export const API_CLUSTER_IP = "10.96.0.1";
export const SERVICE_RANGE = "10.96.0.0/16";
const FIRST_HOST = 2;
const HERE = 254;

/**
 * A switch of the cluster's own, in the network namespace of its control plane, with this machine plugged in. 198.18/15
 * is for such uses (RFC 2544), so no route of this machine is in the way.
 */
export interface Network {
  /** The namespace of the control plane. */
  readonly namespace: string;
  /** The control plane's address. */
  readonly address: string;
  /** Plugs a new namespace in; resolves to its address. */
  plug(namespace: string): Promise<string>;
  /** Removes a namespace that `plug` made. What runs inside must have ended. */
  unplug(namespace: string): Promise<void>;
}

/** @throws Error if network namespaces cannot be made here. */
export async function createNetwork(run: Run): Promise<Network> {
  const namespace = namespaceOf(run, "control-plane");
  await ip(["netns", "add", namespace]);
  await batch(namespace, ["link set lo up", `link add switch address ${macOf(1)} type bridge`, "link set switch up"]);
  await ip(["link", "add", run.link, "type", "veth", "peer", "name", "here", "netns", namespace]);
  const prefix = await claimPrefix(run);
  await batch(namespace, [
    `addr add ${prefix}.1/24 dev switch`,
    // What kube-proxy would do for the API server's own Service.
    `addr add ${API_CLUSTER_IP}/32 dev lo`,
    "link set here master switch up",
  ]);
  const used = new Map<string, number>();
  let last = FIRST_HOST - 1;
  return {
    namespace,
    address: `${prefix}.1`,
    async plug(host) {
      const number = nextFree(last, new Set(used.values()));
      last = number;
      used.set(host, number);
      await ip(["netns", "add", host]);
      await batch(namespace, [
        `link add h${number} type veth peer name eth0 address ${macOf(number)} netns ${host}`,
        `link set h${number} master switch up`,
      ]);
      await batch(host, [
        "link set lo up",
        `addr add ${prefix}.${number}/24 dev eth0`,
        "link set eth0 up",
        `route add default via ${prefix}.1`,
      ]);
      return `${prefix}.${number}`;
    },
    async unplug(host) {
      const number = used.get(host);
      if (number === undefined) return;
      await attempt("ip", ["-n", namespace, "link", "delete", `h${number}`]);
      await ip(["netns", "delete", host]);
      used.delete(host);
    },
  };
}

/** Gives this machine's end of the cable an address in a /24 that nobody else here has. */
async function claimPrefix({ link }: Run): Promise<string> {
  const start = Math.floor(Math.random() * 512);
  for (let step = 0; step < 512; step++) {
    const number = (start + step) % 512;
    const prefix = `198.${18 + (number >> 8)}.${number & 255}`;
    if ((await linksWith(prefix)).length > 0) continue;
    await ip(["addr", "add", `${prefix}.${HERE}/24`, "dev", link]);
    // Another run may have taken the same in between: then both give it back.
    if ((await linksWith(prefix)).length === 1) {
      await ip(["link", "set", link, "up"]);
      return prefix;
    }
    await ip(["addr", "flush", "dev", link]);
  }
  throw new Error("no /24 of 198.18.0.0/15 is free on this machine");
}

async function linksWith(prefix: string): Promise<string[]> {
  const shown = await ip(["-o", "-4", "addr", "show", "to", `${prefix}.0/24`]);
  return shown.split("\n").filter((line) => line !== "");
}

/**
 * The hardware address that goes with an address. Left to the kernel, a switch changes its own with every port, and a
 * new host comes with another one than the last at its address: both cut connections off until caches have run out.
 */
const macOf = (number: number) => `02:00:c6:12:00:${number.toString(16).padStart(2, "0")}`;

/** Round and round, so that an address that has become free is not used again at once. */
function nextFree(last: number, used: ReadonlySet<number>): number {
  const count = HERE - FIRST_HOST;
  for (let step = 1; step <= count; step++) {
    const number = FIRST_HOST + ((last - FIRST_HOST + step) % count);
    if (!used.has(number)) return number;
  }
  throw new Error(`the cluster's network has no address left: ${used.size} are in use`);
}

const ip = (args: readonly string[]) => command("ip", args);
const batch = (namespace: string, lines: readonly string[]) =>
  command("ip", ["-n", namespace, "-batch", "-"], { stdin: `${lines.join("\n")}\n` });
