import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { V1Deployment, V1Pod } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import { startServer } from "../server-process.ts";
import { type Admitted, type ApiServer, admit, podOf } from "../standins/api-server.ts";
import { injectSidecar } from "../standins/istio-injector.ts";
import { copyEmbeddedMesh, type EmbeddedMesh } from "./embedded-mesh.ts";
import { heading, reportCheck, reportPod, say } from "./report.ts";
import { SCENES, type Scene } from "./scenes.ts";

/** The main job on real input: every pod of the sample application through the real server, in four scenes. */

const SAMPLE = fileURLToPath(new URL("../../manifests/samples/fortio/fortio.yaml", import.meta.url));
const NAMESPACE = "default";
/** An edit of the mesh shows in an admission within 200 ms; a machine that is busy otherwise gets more time. */
const PATIENCE_MS = 3000;

let failures = 0;

function check(ok: boolean, text: string): void {
  if (!ok) failures += 1;
  reportCheck(ok, text);
}

async function main(): Promise<void> {
  const mesh = await copyEmbeddedMesh();
  try {
    const server = await startServer(mesh.settingsFile);
    try {
      say(`The real server is up: ${server.admission} (admission), ${server.config} (config service).`);
      say("Stand-ins, as there is no cluster: Istio's injector and the API server's admission call.");
      const api = { url: server.admission, ca: await readFile(mesh.caFile, "utf8") };
      const deployments = await sample();
      for (const [index, scene] of SCENES.entries()) await play(index + 1, scene, deployments, mesh, api);
    } finally {
      const code = await server.stop();
      say();
      check(code === 0, `the server stopped with exit code ${code}`);
    }
  } finally {
    await mesh.remove();
  }
  say(failures === 0 ? "Every step was as expected." : `${failures} steps were not as expected.`);
  process.exitCode = failures === 0 ? 0 : 1;
}

async function sample(): Promise<readonly V1Deployment[]> {
  const documents = parseAllDocuments(await readFile(SAMPLE, "utf8")).map((document) => document.toJS());
  return documents.filter(({ kind }) => kind === "Deployment");
}

async function play(
  number: number,
  scene: Scene,
  deployments: readonly V1Deployment[],
  mesh: EmbeddedMesh,
  api: ApiServer,
): Promise<void> {
  const { edit, title, how, reason } = scene;
  heading(number, title, how);
  const original = edit && (await mesh.read(edit.file));
  if (edit && original !== undefined) {
    await mesh.write(edit.file, original.replaceAll(edit.find, edit.write));
    const ms = await untilAnswered(reason, deployments, api);
    check(ms < PATIENCE_MS, `the edit shows in an admission, after ${ms} ms`);
  }
  for (const deployment of deployments) {
    const name = deployment.metadata?.name ?? "";
    const pod = injectSidecar(podOf(deployment));
    if (scene.unannotated) delete pod.metadata?.annotations?.[ANNOTATION.enabled];
    const admitted = await admit(api, pod, NAMESPACE);
    reportPod(name, pod, admitted);
    check(admitted.reason === reason, `${name}: the reason is ${reason}`);
    if (reason === "Injected") await checkInjected(name, admitted, api);
    else check(admitted.operations.length === 0, `${name}: the pod passes unchanged`);
  }
  if (edit && original !== undefined) {
    await mesh.write(edit.file, original);
    await untilAnswered("Injected", deployments, api);
  }
}

/** Milliseconds until an admission ends with the reason, or until there is no patience left. */
async function untilAnswered(reason: string, [deployment]: readonly V1Deployment[], api: ApiServer): Promise<number> {
  const began = Date.now();
  while (deployment && Date.now() - began < PATIENCE_MS) {
    if ((await admit(api, podOf(deployment), NAMESPACE)).reason === reason) break;
    await wait(10);
  }
  return Date.now() - began;
}

async function checkInjected(name: string, { pod, warnings }: Admitted, api: ApiServer): Promise<void> {
  const canonical = "istio-init, smc-init, istio-proxy";
  check(order(pod) === canonical, `${name}: init containers in order: ${canonical}`);
  check(warnings.length === 0, `${name}: no warnings`);
  const again = await admit(api, pod, NAMESPACE);
  check(again.operations.length === 0, `${name}: asked again, nothing is left to do`);
  const moved = injectSidecar(pod);
  const restored = await admit(api, moved, NAMESPACE);
  check(
    order(moved) !== canonical && isDeepStrictEqual(restored.pod, pod),
    `${name}: Istio's injector runs again (${order(moved)}), and all is put right`,
  );
}

function order(pod: V1Pod): string {
  return pod.spec?.initContainers?.map(({ name }) => name).join(", ") ?? "";
}

main().catch((error: unknown) => {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
