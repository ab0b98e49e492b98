import { existsSync, readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import { property } from "./property.ts";

/** How to reach a cluster's API server, and what to show there. */
export interface Credentials {
  readonly server: string;
  /** TLS material and headers of one request. Files and exec plugins are asked each time, so what was renewed counts. */
  options(): Promise<RequestOptions>;
  /** Forgets what is remembered: a token (for a minute), an exec plugin's answer, the kubeconfig itself. */
  renew(): void;
}

export interface CredentialsOptions {
  /** A kubeconfig file; without one: the pod's ServiceAccount, else `$KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** Where the root of the ServiceAccount's files is; `/`, but in tests. */
  readonly root?: string | undefined;
}

const TOKEN = "var/run/secrets/kubernetes.io/serviceaccount/token";

/** @throws Error that names the file and what is wrong with it. */
export async function openCredentials({ kubeconfig, root = "/" }: CredentialsOptions): Promise<Credentials> {
  // The library costs half a second and 50 MB, and a server with an embedded mesh has no use for it.
  const { KubeConfig } = await import("@kubernetes/client-node");

  const load = (): KubeConfig => {
    const config = new KubeConfig();
    const inCluster = Boolean(process.env.KUBERNETES_SERVICE_HOST) && existsSync(join(root, TOKEN));
    if (kubeconfig === undefined && inCluster) {
      config.loadFromCluster(root === "/" ? "" : root);
      return config;
    }
    const files = kubeconfig === undefined ? defaultFiles() : [kubeconfig];
    const [first, ...others] = files;
    if (first === undefined) throw new Error(NOTHING_FOUND);
    read(config, first);
    for (const file of others) {
      const other = new KubeConfig();
      read(other, file);
      config.mergeConfig(other, true);
    }
    if (!config.getCurrentCluster()) {
      throw new Error(`the kubeconfig ${files.join(", ")} has no cluster for its current-context`);
    }
    return config;
  };

  let config = load();
  return {
    get server() {
      return config.getCurrentCluster()?.server ?? "";
    },
    async options() {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      // The library makes one agent and keeps it, with the certificates of its first day; only a proxy's is of use.
      if (!config.getCurrentCluster()?.proxyUrl) delete options.agent;
      return options;
    },
    renew() {
      config = load();
    },
  };
}

const NOTHING_FOUND =
  "no cluster is known: there is no ServiceAccount of a pod, no $KUBECONFIG and no ~/.kube/config; name a kubeconfig in the settings";

function defaultFiles(): readonly string[] {
  const named = (process.env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  if (named.length > 0) return named;
  const usual = join(homedir(), ".kube", "config");
  return existsSync(usual) ? [usual] : [];
}

function read(config: KubeConfig, file: string): void {
  try {
    config.loadFromFile(file);
    const tokenFiles = readTokenFiles(file);
    config.users = config.users.map((user) => {
      const tokenFile = tokenFiles.get(user.name);
      if (tokenFile === undefined) return user;
      const { token: _, ...others } = user;
      return { ...others, authProvider: { name: "tokenFile", config: { tokenFile } } };
    });
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT" && !existsSync(file);
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    throw new Error(`the kubeconfig ${file} ${missing ? "does not exist" : `cannot be read: ${reason}`}`);
  }
}

/** kubectl's `tokenFile`, which the library passes over (2.0.1), by the user's name. */
function readTokenFiles(file: string): ReadonlyMap<string, string> {
  const found: unknown = parse(readFileSync(file, "utf8"));
  const users = property(found, "users");
  return new Map(
    (Array.isArray(users) ? users : []).flatMap((entry) => {
      const [name, tokenFile] = [property(entry, "name"), property(property(entry, "user"), "tokenFile")];
      if (typeof name !== "string" || typeof tokenFile !== "string") return [];
      return [[name, resolve(dirname(file), tokenFile)] as const];
    }),
  );
}
