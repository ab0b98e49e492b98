import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { V1Pod, V1Volume } from "@kubernetes/client-node";
import type { Api } from "../api.ts";
import { type Files, writeFiles } from "./volume-files.ts";
import { readVolume, type Source } from "./volume-source.ts";

/** A pod's volumes as folders of this machine. */
export interface Volumes {
  readonly folderOf: (volume: string) => string;
  /** Brings all files up to date. @throws Error if an object is missing; what was there stays. */
  refresh(): Promise<void>;
}

export async function createVolumes(api: Api, pod: V1Pod, podIP: string, folder: string): Promise<Volumes> {
  const source: Source = { api, pod, podIP, token: tokensOf(api, pod) };
  const group = pod.spec?.securityContext?.fsGroup ?? 0;
  const written = new Map<string, Files>();
  const folderOf = (name: string) => join(folder, name);
  const volumes = pod.spec?.volumes ?? [];
  for (const { name, emptyDir } of volumes) {
    await mkdir(folderOf(name), { recursive: true });
    if (!emptyDir) continue;
    await chown(folderOf(name), 0, group);
    await chmod(folderOf(name), 0o2777);
  }
  async function refreshOne(volume: V1Volume): Promise<void> {
    if (volume.emptyDir) return;
    const files = await readVolume(volume, source);
    const before = written.get(volume.name);
    if (before && sameFiles(before, files)) return;
    await writeFiles(folderOf(volume.name), files, group);
    written.set(volume.name, files);
  }
  return {
    folderOf,
    async refresh() {
      for (const volume of volumes) await refreshOne(volume);
    },
  };
}

function sameFiles(left: Files, right: Files): boolean {
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => left[name] && right[name] && left[name].equals(right[name]))
  );
}

/** Tokens bound to the pod; one is asked for anew when four fifths of its life are over, as a kubelet does. */
function tokensOf(api: Api, { metadata, spec }: V1Pod): Source["token"] {
  const held = new Map<string | undefined, { readonly token: string; readonly until: number }>();
  return async (audience, seconds) => {
    const now = Date.now();
    const old = held.get(audience);
    if (old && now < old.until) return old.token;
    const account = `/api/v1/namespaces/${metadata?.namespace}/serviceaccounts/${spec?.serviceAccountName}`;
    const boundObjectRef = { apiVersion: "v1", kind: "Pod", name: metadata?.name, uid: metadata?.uid };
    const { json } = await api.expect("POST", `${account}/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: seconds, boundObjectRef, ...(audience !== undefined && { audiences: [audience] }) },
    });
    const token: string = json.status.token;
    held.set(audience, { token, until: now + seconds * 800 });
    return token;
  };
}
