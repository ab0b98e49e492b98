import type { ChildProcess } from "node:child_process";
import { mkdtemp, open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { NetworkHost } from "../network-host.ts";
import { environmentOf } from "./environment.ts";
import { type Image, Unsupported } from "./image.ts";
import type { Volumes } from "./volumes.ts";

const ENTER = fileURLToPath(new URL("enter.sh", import.meta.url));

export interface SandboxOptions {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly image: Image;
  readonly host: NetworkHost;
  readonly volumes: Volumes;
  /** The pod's own folder. */
  readonly folder: string;
}

/** Starts a container's process, with its output in a log file. @throws Unsupported for what it cannot give it. */
export async function startInSandbox(options: SandboxOptions): Promise<ChildProcess> {
  const { pod, container, image, host, volumes, folder } = options;
  const { command = [], args = [], workingDir = image.target, securityContext, volumeMounts = [] } = container;
  if (command.length === 0) throw new Unsupported(`container ${container.name} has no command`);
  if (pod.spec?.initContainers?.length) throw new Unsupported("init containers");
  const user = securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser ?? 0;
  const group = securityContext?.runAsGroup ?? pod.spec?.securityContext?.runAsGroup ?? user;
  const scratch = await mkdtemp(join(folder, "root-"));
  const mounts = volumeMounts.flatMap(({ name, mountPath, readOnly, subPath = "" }) => {
    return [readOnly ? "ro" : "rw", join(volumes.folderOf(name), subPath), mountPath];
  });
  const rootMode = securityContext?.readOnlyRootFilesystem ? "ro" : "rw";
  const enter = [scratch, rootMode, `${user}`, `${group}`, workingDir, "ro", image.folder, image.target, ...mounts];
  const log = await open(logOf(folder, container), "a");
  try {
    return host.spawn(ENTER, [...enter, "--", ...command, ...args], {
      stdio: ["ignore", log.fd, log.fd],
      env: environmentOf(pod, container, image, host.address),
    });
  } finally {
    await log.close();
  }
}

export const logOf = (folder: string, { name }: V1Container) => join(folder, `${name}.log`);
