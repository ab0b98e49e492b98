import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { BINARIES, type Binary, KUBERNETES } from "./versions.ts";

/** Where binaries are looked for first: the name that envtest made usual. */
export const GIVEN = "KUBEBUILDER_ASSETS";
/** Another folder to build into. */
export const CACHE = "SMC_CLUSTER_ASSETS";

/** A folder's binaries, by name: absolute paths. */
export type Assets = Readonly<Record<Binary, string>>;

/** The folder that binaries are built into. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return env[CACHE] || join(cache, "smc-webhook", `cluster-${KUBERNETES}`);
}

/** The binaries to use. @throws Error that says which are missing and how to get them. */
export function findAssets(env: NodeJS.ProcessEnv = process.env): Assets {
  const given = env[GIVEN];
  if (given && missingIn(given).length === 0) return assetsIn(given);
  const cache = cacheFolder(env);
  const missing = missingIn(cache);
  if (missing.length === 0) return assetsIn(cache);
  throw new Error(`the cluster's binaries are missing (${missing.join(", ")} in ${cache}): run make cluster-assets`);
}

export const missingIn = (folder: string): Binary[] => BINARIES.filter((name) => !isExecutable(join(folder, name)));

function assetsIn(folder: string): Assets {
  const path = (name: Binary) => join(folder, name);
  return {
    etcd: path("etcd"),
    "kube-apiserver": path("kube-apiserver"),
    "kube-controller-manager": path("kube-controller-manager"),
    "kube-scheduler": path("kube-scheduler"),
    kubectl: path("kubectl"),
    kwok: path("kwok"),
  };
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
