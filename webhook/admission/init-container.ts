import { isDeepStrictEqual } from "node:util";
import type { V1Container } from "@kubernetes/client-node";
import type { AdmissionSettings } from "../settings/schema.ts";
import type { Findings } from "./findings.ts";
import { INIT_CONTAINER } from "./names.ts";
import { add, type Operation, pointer, remove, replace } from "./patch.ts";
import { type Container, lookUp, type PodSpec, type ProjectedSource, type Quantities } from "./pod.ts";
import { formatQuantity, parseQuantity } from "./quantity.ts";

/** Where the API server mounts a pod's service account token, into our container too. */
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Puts `smc-init` where it belongs: directly after a leading istio-init or istio-validation, else first, and so
 * before the sidecar and every container that stays. Out of place, altered or doubled, it is put right.
 */
export function placeInitContainer(
  found: Findings,
  sockets: string,
  settings: AdmissionSettings,
): readonly Operation[] {
  const list = found.pod.spec.initContainers;
  const path = pointer("spec", "initContainers");
  const ours = (list ?? []).flatMap((container, index) =>
    container.name === INIT_CONTAINER ? [{ container, index }] : [],
  );
  const wanted = initContainer(found, sockets, settings, ours[0]?.container);
  if (!list) return [add(path, [wanted])];

  const place = leaders(list, settings);
  const [only, ...doubles] = ours;
  if (only?.index === place && doubles.length === 0) {
    return isDeepStrictEqual(only.container, wanted) ? [] : [replace(`${path}/${place}`, wanted)];
  }
  // From the last one on, so that no removal shifts the next.
  const removals = ours.map(({ index }) => remove(`${path}/${index}`)).reverse();
  return [...removals, add(`${path}/${place}`, wanted)];
}

/** How many init containers lead the list, ours aside, that the mesh needs to stay in front. */
function leaders(list: readonly Container[], { sidecar }: AdmissionSettings): number {
  const others = list.filter(({ name }) => name !== INIT_CONTAINER);
  const end = others.findIndex(
    ({ name, restartPolicy }) => !sidecar.initContainerNames.includes(name) || restartPolicy === "Always",
  );
  return end === -1 ? others.length : end;
}

/**
 * The container as it must be. It is privileged, so all of it comes from the settings and from here; what is kept of
 * `found` is only what the API server itself adds, that no alarm is raised over it in the next round.
 */
function initContainer(findings: Findings, sockets: string, settings: AdmissionSettings, found?: Container) {
  const { image, imagePullPolicy } = settings.initContainer;
  const container: V1Container = {
    name: INIT_CONTAINER,
    image,
    // The admission plugin AlwaysPullImages writes `Always`, and refuses a pod where somebody took that back.
    imagePullPolicy: found?.imagePullPolicy === "Always" ? "Always" : imagePullPolicy,
    command: ["/usr/local/bin/smc-init"],
    env: environment(sockets, settings.initContainer),
    resources: resources(findings, settings, found),
    securityContext: {
      privileged: true,
      readOnlyRootFilesystem: true,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
  const tokens = found?.volumeMounts?.filter((mount) => isTokenMount(mount, findings.pod.spec)) ?? [];
  return {
    ...container,
    ...(isDefaultResizePolicy(found?.resizePolicy) && { resizePolicy: found?.resizePolicy }),
    ...(tokens.length > 0 && { volumeMounts: tokens.slice(0, 1) }),
  };
}

type Fixed = ReturnType<typeof fixed>;

/** What is the same in every pod, made once for a version of the settings. */
const FIXED = new WeakMap<AdmissionSettings["initContainer"], Fixed>();

function fixedParts(settings: AdmissionSettings["initContainer"]): Fixed {
  const known = FIXED.get(settings) ?? fixed(settings);
  FIXED.set(settings, known);
  return known;
}

function fixed({ sysctls, cpu, memory }: AdmissionSettings["initContainer"]) {
  const sorted = Object.entries(sysctls).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    sysctls: sorted.map(([name, value]) => `${name}=${value}`).join(","),
    quantities: { cpu: canonical(cpu), memory: canonical(memory) },
  };
}

function canonical(quantity: string): string {
  const parsed = parseQuantity(quantity);
  return parsed ? formatQuantity(parsed) : quantity;
}

/** Empty values are left out: the API server would drop them, and the container would look altered ever after. */
function environment(sockets: string, settings: AdmissionSettings["initContainer"]) {
  return [
    { name: "SMC_METHOD", value: settings.method },
    { name: "SMC_SOCKETS", value: sockets },
    { name: "SMC_SYSCTLS", value: fixedParts(settings).sysctls },
    { name: "SMCR_PNET", value: settings.pnetId },
    { name: "SMC_IPV6", value: settings.ipv6 },
    { name: "SMC_ON_FAILURE", value: settings.onFailure },
  ].filter(({ value }) => value !== "");
}

/**
 * Requests equal to limits, so that a Guaranteed pod stays so; none in a BestEffort pod, nor where the pod has
 * resources of its own, which then decide. What the API server defaulted besides (ephemeral storage) is kept.
 */
function resources({ pod, qos }: Findings, settings: AdmissionSettings, found?: Container) {
  const own = pod.spec.resources || qos === "BestEffort" ? {} : fixedParts(settings.initContainer).quantities;
  const limits = { ...own, ...defaulted(found?.resources?.limits) };
  const requests = { ...own, ...defaulted(found?.resources?.requests) };
  return {
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(Object.keys(requests).length > 0 && { requests }),
  };
}

function defaulted(quantities: Quantities | null | undefined): Quantities {
  if (!quantities) return {};
  const storage = lookUp(quantities, "ephemeral-storage");
  return storage === undefined ? {} : { "ephemeral-storage": storage };
}

/** Since Kubernetes 1.33 the API server writes this for each resource of a container. */
function isDefaultResizePolicy(policy: unknown): boolean {
  const isDefault = (one: unknown) =>
    ["cpu", "memory"].some((resourceName) => isDeepStrictEqual(one, { resourceName, restartPolicy: "NotRequired" }));
  return Array.isArray(policy) && policy.length <= 2 && policy.every(isDefault);
}

/**
 * Just what the service account admission plugin adds: a mount without options, of a volume with the account's token.
 * Any other would bring files of the author's into a privileged container.
 */
function isTokenMount(mount: unknown, { volumes }: PodSpec): boolean {
  if (typeof mount !== "object" || mount === null) return false;
  const { name, mountPath, readOnly, ...options } = { name: "", mountPath: "", readOnly: false, ...mount };
  if (mountPath !== TOKEN_PATH || readOnly !== true || Object.keys(options).length > 0) return false;
  const sources = volumes?.find((volume) => volume.name === name)?.projected?.sources ?? [];
  return sources.some((source) => source.serviceAccountToken) && sources.every(isTokenSource);
}

/** The token, the cluster's CA and the pod's namespace are what such a volume is made of. */
function isTokenSource(source: ProjectedSource): boolean {
  if (source.configMap) return source.configMap.name === "kube-root-ca.crt";
  return Boolean(source.serviceAccountToken ?? source.downwardAPI);
}
