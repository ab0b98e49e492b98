import { canonical } from "./quantity.ts";

type Json = Record<string, unknown>;

const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

export const TOKEN_VOLUME = {
  name: "kube-api-access-x7k2p",
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  },
};

export interface Plugins {
  /** The admission plugin that makes every container pull its image each time it starts. */
  readonly alwaysPullImages?: boolean;
  /** Defaults for every container, as a LimitRange has them. */
  readonly limitRange?: Readonly<Record<string, string>>;
  readonly serviceAccount?: boolean;
}

/**
 * What the API server makes of a pod between two rounds of webhooks: defaults, quantities in canonical form, and what
 * its built-in admission plugins add. From pkg/apis/core/v1/defaults.go and plugin/pkg/admission.
 */
export function betweenRounds<T>(pod: T, plugins: Plugins = {}): T {
  const copy = structuredClone(pod);
  const { spec } = copy as { spec: Json };
  defaultResources(spec.resources, {});
  for (const container of [...lists(spec.initContainers), ...lists(spec.containers)]) {
    container.imagePullPolicy ??= "IfNotPresent";
    if (plugins.alwaysPullImages) container.imagePullPolicy = "Always";
    container.terminationMessagePath ??= "/dev/termination-log";
    container.terminationMessagePolicy ??= "File";
    container.resources ??= {};
    defaultResources(container.resources, plugins.limitRange ?? {});
    if (plugins.serviceAccount) mountToken(container);
  }
  if (plugins.serviceAccount && !lists(spec.volumes).some(({ name }) => name === TOKEN_VOLUME.name)) {
    spec.volumes = [...lists(spec.volumes), structuredClone(TOKEN_VOLUME)];
  }
  return copy;
}

function mountToken(container: Json): void {
  const mounts = lists(container.volumeMounts);
  if (mounts.some(({ mountPath }) => mountPath === TOKEN_PATH)) return;
  container.volumeMounts = [...mounts, { name: TOKEN_VOLUME.name, readOnly: true, mountPath: TOKEN_PATH }];
}

function defaultResources(resources: unknown, defaults: Readonly<Record<string, string>>): void {
  if (typeof resources !== "object" || resources === null) return;
  const holder = resources as Json;
  const limits = canonicalList({ ...defaults, ...(holder.limits ?? {}) });
  const requests = canonicalList({ ...limits, ...(holder.requests ?? {}) });
  if (holder.limits || Object.keys(limits).length > 0) holder.limits = limits;
  if (holder.requests || Object.keys(requests).length > 0) holder.requests = requests;
}

function canonicalList(list: object): Json {
  return Object.fromEntries(Object.entries(list).map(([name, quantity]) => [name, canonical(quantity)]));
}

function lists(list: unknown): Json[] {
  return Array.isArray(list) ? list : [];
}
