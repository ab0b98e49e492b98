import { onTestFinished } from "vitest";
import { openKubernetesMesh } from "../../webhook/mesh/kubernetes.ts";
import type { MeshView } from "../../webhook/mesh/view.ts";
import { recordedLog } from "../mesh/mesh-folder.ts";
import { type FakeApiServer, startFakeApiServer } from "./fake-api-server.ts";
import type { FakeObject } from "./fake-store.ts";
import { clientOf, NODES } from "./scene.ts";

export const MESHES = "/apis/istio.alibabacloud.com/v1beta1/asmmeshconfigs";
export const NAMESPACES = "/api/v1/namespaces";
export { NODES };

export const ELIGIBLE = "smc.asm.alibabacloud.com/eligible";
export const INJECTION = "smc.asm.alibabacloud.com/injection";

export const meshConfig = (spec: unknown, name = "default"): FakeObject => ({ metadata: { name }, spec });

export const judged = (name: string, labels: Readonly<Record<string, string>> = {}, eligible = "true"): FakeObject => ({
  metadata: { name, labels: { [ELIGIBLE]: eligible, ...labels } },
});

export const namespace = (name: string, labels: Readonly<Record<string, string>> = {}): FakeObject => ({
  metadata: { name, labels },
});

export interface FollowedMesh {
  readonly fake: FakeApiServer;
  readonly mesh: MeshView;
  readonly log: ReturnType<typeof recordedLog>;
}

/** The view of a fake cluster's mesh, and of another one's where the control plane is there; closed after the test. */
export async function followMesh(
  prepare: (fake: FakeApiServer) => void = () => {},
  controlPlane?: FakeApiServer,
): Promise<FollowedMesh> {
  const fake = await startFakeApiServer();
  prepare(fake);
  const log = recordedLog();
  const client = await clientOf(fake.url);
  const meshClient = controlPlane && (await clientOf(controlPlane.url));
  const mesh = await openKubernetesMesh({ client, meshClient, log });
  onTestFinished(() => mesh.close());
  return { fake, mesh, log };
}

/** The states that a view takes on, each once, as often as anything else gets its turn. */
export function recordStates(mesh: MeshView): ReadonlySet<MeshView["state"]> {
  const states = new Set<MeshView["state"]>([mesh.state]);
  let running = true;
  const look = () => {
    states.add(mesh.state);
    if (running) setImmediate(look);
  };
  look();
  onTestFinished(() => {
    running = false;
  });
  return states;
}
