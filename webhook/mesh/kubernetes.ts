import { LABEL, MESH_CONFIG } from "../admission/names.ts";
import type { ClusterClient } from "../cluster/client.ts";
import { watchObjects } from "../cluster/watch.ts";
import type { WatchStatus } from "../cluster/watch-status.ts";
import type { Log } from "../log.ts";
import { coalesce } from "./coalesce.ts";
import { keepObjects } from "./kubernetes-kept.ts";
import {
  deliveredSwitch,
  keepNamespace,
  keepNode,
  keepSwitch,
  sameLabels,
  sameNode,
  sameSwitch,
} from "./kubernetes-objects.ts";
import { type JudgedNode, meshState, readSwitch } from "./objects.ts";
import type { Labels, MeshFault, MeshState, MeshSwitch, MeshView } from "./view.ts";

export interface KubernetesMeshOptions {
  /** Of the cluster whose pods are admitted: its nodes and namespaces. */
  readonly client: ClusterClient;
  /** Of the cluster that holds the ASMMeshConfig, where that is another one. */
  readonly meshClient?: ClusterClient | undefined;
  readonly log: Log;
  readonly now?: () => Date;
}

/**
 * The mesh as its cluster describes it: watches on the ASMMeshConfig, the judged nodes and the namespaces. Returns
 * before they have been read; `state` is undefined until all three have. An edit of the switch shows in `state` as
 * soon as the API server tells of it, the rest a few milliseconds later. Closing it leaves the clients open.
 */
export async function openKubernetesMesh(options: KubernetesMeshOptions): Promise<MeshView> {
  const { client, meshClient = client, log, now = () => new Date() } = options;
  const nodes = keepObjects<JudgedNode>(sameNode);
  const namespaces = keepObjects<Labels>(sameLabels);
  // The three parts of a picture; each is made anew only where it has changed.
  let switchPart: MeshSwitch | undefined;
  let nodesPart: Pick<MeshState, "nodes" | "eligible"> | undefined;
  let namespacesPart: MeshState["namespaces"] | undefined;
  let state: MeshState | undefined;

  const assemble = () => {
    if (!switchPart || !nodesPart || !namespacesPart) return;
    if (!state) log.info(sizes(nodesPart, namespacesPart), "the mesh has been read");
    const { nodes: judged, eligible } = nodesPart;
    state = { meshSwitch: switchPart, nodes: judged, eligible, namespaces: namespacesPart };
  };
  const turnSwitch = (found: MeshSwitch) => {
    if (!switchPart || !sameSwitch(found, switchPart)) logSwitch(log, found);
    switchPart = found;
    assemble();
  };
  const renewNodes = coalesce(() => {
    nodesPart = meshState({ meshSwitch: readSwitch(undefined), nodes: nodes.all.values(), namespaces: [] });
    assemble();
  });
  const renewNamespaces = coalesce(() => {
    namespacesPart = new Map(namespaces.all);
    assemble();
  });

  const followed = { log, now };
  const watches = [
    {
      where: `asmmeshconfigs (${MESH_CONFIG.apiVersion})`,
      watch: watchObjects({
        ...followed,
        client: meshClient,
        path: `/apis/${MESH_CONFIG.apiVersion}/asmmeshconfigs`,
        fieldSelector: `metadata.name=${MESH_CONFIG.name}`,
        mayBeAbsent: true,
        read: keepSwitch,
        deliver(delivery) {
          const found = deliveredSwitch(delivery);
          if (found) turnSwitch(found);
        },
      }),
    },
    {
      where: "nodes (v1)",
      watch: watchObjects({
        ...followed,
        client,
        path: "/api/v1/nodes",
        labelSelector: LABEL.eligible,
        metadataOnly: true,
        read: keepNode,
        deliver(delivery) {
          if (nodes.take(delivery) || !nodesPart) renewNodes.request();
        },
      }),
    },
    {
      where: "namespaces (v1)",
      watch: watchObjects({
        ...followed,
        client,
        path: "/api/v1/namespaces",
        metadataOnly: true,
        read: keepNamespace,
        deliver(delivery) {
          if (namespaces.take(delivery) || !namespacesPart) renewNamespaces.request();
        },
      }),
    },
  ];

  return {
    source: { kind: "kubernetes", location: [...new Set([client.server, meshClient.server])].join(", mesh: ") },
    get state() {
      return state;
    },
    get readAt() {
      return state && earliest(watches.map(({ watch }) => watch.status.agreedAt));
    },
    get faults() {
      return watches.flatMap(({ where, watch }) => faultsOf(where, watch.status));
    },
    async close() {
      await Promise.all(watches.map(({ watch }) => watch.close()));
      renewNodes.close();
      renewNamespaces.close();
    },
  };
}

function earliest(times: readonly (Date | undefined)[]): Date | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length < times.length ? undefined : new Date(Math.min(...known.map((time) => time.getTime())));
}

function faultsOf(where: string, { fault, errors }: WatchStatus): readonly MeshFault[] {
  const uncounted = { where, message: `${errors} objects could not be taken in; the log says which and why` };
  return [...(fault === undefined ? [] : [{ where, message: fault }]), ...(errors > 0 ? [uncounted] : [])];
}

function logSwitch(log: Log, { enabled, note, resourceVersion }: MeshSwitch): void {
  const facts = { smcEnabled: enabled, resourceVersion };
  if (note === undefined) log.info(facts, "the mesh's switch");
  else log.warn(facts, `the mesh's switch counts as off: ${note}`);
}

const sizes = ({ nodes, eligible }: Pick<MeshState, "nodes" | "eligible">, namespaces: MeshState["namespaces"]) => ({
  nodes: nodes.size,
  eligible: eligible.size,
  namespaces: namespaces.size,
});
