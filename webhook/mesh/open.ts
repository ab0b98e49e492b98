import { type ClusterClient, openClusterClient } from "../cluster/client.ts";
import type { Log } from "../log.ts";
import type { Settings } from "../settings/schema.ts";
import { openEmbeddedMesh } from "./embedded.ts";
import { openKubernetesMesh } from "./kubernetes.ts";
import type { MeshView } from "./view.ts";

type MeshSettings = Settings["mesh"];

const SOURCES: Readonly<Record<MeshSettings["source"], (settings: MeshSettings, log: Log) => Promise<MeshView>>> = {
  embedded: ({ folder }, log) => openEmbeddedMesh({ folder, log }),
  kubernetes: async ({ kubeconfig, controlPlaneKubeconfig }, log) => {
    const client = await openClusterClient({ kubeconfig: kubeconfig || undefined });
    if (controlPlaneKubeconfig === "") return closingToo(await openKubernetesMesh({ client, log }), [client]);
    const meshClient = await openClusterClient({ kubeconfig: controlPlaneKubeconfig });
    return closingToo(await openKubernetesMesh({ client, meshClient, log }), [client, meshClient]);
  },
};

/**
 * Opens the source of the mesh's state that the settings name.
 *
 * @throws Error where the credentials of a cluster cannot be read; that a cluster does not answer is a fault of the view
 */
export const openMesh = (settings: MeshSettings, log: Log): Promise<MeshView> =>
  SOURCES[settings.source](settings, log);

/** The view, whose end is the clients' too. */
const closingToo = (view: MeshView, clients: readonly ClusterClient[]): MeshView => ({
  source: view.source,
  get state() {
    return view.state;
  },
  get readAt() {
    return view.readAt;
  },
  get faults() {
    return view.faults;
  },
  async close() {
    await view.close();
    for (const client of clients) client.close();
  },
});
