import { INIT_CONTAINER } from "./names.ts";

/**
 * The parts of a Kubernetes Pod (core/v1) that the decision reads. Everything else in a pod passes by unseen.
 * A list or a map may be absent or null: Go writes an empty one as either.
 */
type Maybe<T> = T | null | undefined;

export interface Pod {
  readonly metadata?: Maybe<{
    readonly name?: Maybe<string>;
    readonly generateName?: Maybe<string>;
    readonly annotations?: Maybe<StringMap>;
  }>;
  readonly spec: PodSpec;
  readonly status?: Maybe<{ readonly podIPs?: Maybe<readonly { readonly ip?: Maybe<string> }[]> }>;
}

export type StringMap = Readonly<Record<string, string>>;

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: Maybe<readonly Container[]>;
  readonly hostNetwork?: Maybe<boolean>;
  readonly os?: Maybe<{ readonly name?: Maybe<string> }>;
  readonly nodeName?: Maybe<string>;
  readonly nodeSelector?: Maybe<StringMap>;
  readonly affinity?: Maybe<{ readonly nodeAffinity?: Maybe<NodeAffinity> }>;
  readonly securityContext?: Maybe<{ readonly runAsUser?: Maybe<number> }>;
  readonly resources?: Maybe<Resources>;
  readonly volumes?: Maybe<readonly Volume[]>;
}

export interface Volume {
  readonly name?: Maybe<string>;
  readonly projected?: Maybe<{ readonly sources?: Maybe<readonly ProjectedSource[]> }>;
}

export interface ProjectedSource {
  readonly serviceAccountToken?: Maybe<object>;
  readonly downwardAPI?: Maybe<object>;
  readonly configMap?: Maybe<{ readonly name?: Maybe<string> }>;
}

export interface Container {
  readonly name: string;
  readonly restartPolicy?: Maybe<string>;
  readonly imagePullPolicy?: unknown;
  readonly ports?: Maybe<readonly { readonly containerPort?: Maybe<number> }[]>;
  readonly resources?: Maybe<Resources>;
  readonly securityContext?: Maybe<SecurityContext>;
  readonly volumeMounts?: Maybe<readonly unknown[]>;
  readonly resizePolicy?: unknown;
}

/** Quantities by resource name. A number is what a person may write; the API server sends strings. */
export type Quantities = Readonly<Record<string, string | number>>;

export interface Resources {
  readonly limits?: Maybe<Quantities>;
  readonly requests?: Maybe<Quantities>;
}

export interface SecurityContext {
  readonly runAsUser?: Maybe<number>;
  readonly readOnlyRootFilesystem?: Maybe<boolean>;
  readonly allowPrivilegeEscalation?: Maybe<boolean>;
  readonly seccompProfile?: Maybe<object>;
  readonly capabilities?: Maybe<{ readonly add?: Maybe<readonly string[]> }>;
}

export interface NodeAffinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: Maybe<{
    readonly nodeSelectorTerms?: Maybe<readonly NodeSelectorTerm[]>;
  }>;
  readonly preferredDuringSchedulingIgnoredDuringExecution?: Maybe<
    readonly { readonly weight?: Maybe<number>; readonly preference?: Maybe<NodeSelectorTerm> }[]
  >;
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: Maybe<readonly NodeSelectorRequirement[]>;
  readonly matchFields?: Maybe<readonly NodeSelectorRequirement[]>;
}

export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: Maybe<readonly string[]>;
}

/** Every container but ours, init containers first. */
export function otherContainers(spec: PodSpec): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers].filter(({ name }) => name !== INIT_CONTAINER);
}

/** Own keys only: a pod's author may have written `__proto__`. */
export function lookUp<T>(map: Readonly<Record<string, T>> | null | undefined, key: string): T | undefined {
  return map && Object.hasOwn(map, key) ? map[key] : undefined;
}
