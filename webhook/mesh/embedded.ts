import { resolve } from "node:path";
import type { Log } from "../log.ts";
import { watchFolder } from "../watch.ts";
import { STEADY_MS } from "./file.ts";
import { type FolderLook, followFolder } from "./folder.ts";
import type { MeshFault, MeshState, MeshView } from "./view.ts";

export interface EmbeddedMeshOptions {
  readonly folder: string;
  readonly log: Log;
  readonly now?: () => Date;
  /** How often to look at the folder where no event comes, in milliseconds. */
  readonly pollMs?: number;
}

/** Looking takes at most this share of the time, however many files there are; but it is done every few seconds. */
const POLLING_SHARE = 1 / 50;
const MAX_POLL_MS = 5000;

/**
 * The mesh as a folder of Kubernetes YAML describes it: ASMMeshConfig, Node and Namespace objects in `*.yaml`, `*.yml`
 * and `*.json` files. An edit shows in `state` within 200 ms. Resolves when the folder has been read once; what is
 * wrong with it is in `faults`, never an exception.
 */
export async function openEmbeddedMesh(options: EmbeddedMeshOptions): Promise<MeshView> {
  const { log, now = () => new Date(), pollMs = 100 } = options;
  const folder = resolve(options.folder);
  const look = followFolder(folder);
  const reportFaults = createReport((fault) => log.error(fault, "the mesh's folder: a fault"));
  const reportIgnored = createReport((ignored) => log.debug(ignored, "the mesh's folder: an object is ignored"));
  let state: MeshState | undefined;
  let readAt: Date | undefined;
  let faults: readonly MeshFault[] = [];

  const apply = (found: FolderLook, lookedAt: Date) => {
    if (found.state && found.state !== state) log.info(summary(found.state), "the mesh's state has changed");
    state = found.state;
    if (found.doubtful) return;
    reportIgnored(found.ignored);
    reportFaults(found.faults);
    const mended = faults.length > 0 && found.faults.length === 0;
    if (mended) log.info({ folder }, "the mesh's folder has no faults any more");
    faults = found.faults;
    if (faults.length === 0) readAt = lookedAt;
  };

  let closed = false;
  let wanted = false;
  let running: Promise<void> | undefined;
  let next: NodeJS.Timeout | undefined;

  const run = async () => {
    let delay = pollMs;
    do {
      wanted = false;
      const lookedAt = now();
      const start = performance.now();
      try {
        const found = await look();
        if (closed) return;
        apply(found, lookedAt);
        const unhurried = Math.min((performance.now() - start) / POLLING_SHARE, MAX_POLL_MS);
        delay = found.unsettled ? STEADY_MS : Math.max(pollMs, unhurried);
      } catch (error) {
        const defect = { where: folder, message: `a defect of this program: ${error}` };
        apply({ state, faults: [defect], ignored: [], doubtful: false, unsettled: false }, lookedAt);
      }
    } while (wanted && !closed);
    if (!closed) next = setTimeout(request, delay).unref();
  };
  const request = () => {
    wanted = true;
    if (running || closed) return;
    clearTimeout(next);
    running = run().finally(() => {
      running = undefined;
    });
  };

  // Watching begins before reading, so that no change falls between the two.
  const watching = watchFolder(folder, request, { settleMs: 10 });
  request();
  await running;

  return {
    source: { kind: "embedded", location: folder },
    get state() {
      return state;
    },
    get readAt() {
      return readAt;
    },
    get faults() {
      return faults;
    },
    async close() {
      closed = true;
      watching.close();
      clearTimeout(next);
      await running;
    },
  };
}

/** Passes each fault on once, and again when it comes back after it was mended. */
function createReport(report: (fault: MeshFault) => void): (faults: readonly MeshFault[]) => void {
  let known: ReadonlySet<string> = new Set();
  return (faults) => {
    const found = new Map(faults.map((fault) => [`${fault.where} ${fault.message}`, fault]));
    for (const [key, fault] of found) if (!known.has(key)) report(fault);
    known = new Set(found.keys());
  };
}

const summary = ({ meshSwitch, nodes, eligible, namespaces }: MeshState) => ({
  meshSwitch,
  nodes: nodes.size,
  eligible: eligible.size,
  namespaces: namespaces.size,
});
