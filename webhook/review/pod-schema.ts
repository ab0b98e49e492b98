import Type, { type TSchema } from "typebox";
import Compile from "typebox/compile";
import type { Pod } from "../admission/pod.ts";
import { fieldPath } from "../field-path.ts";
import { keys } from "./json.ts";

/** An absent field, null, or the thing itself: Go writes an empty list or map in any of these ways. */
const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

const StringMap = Type.Record(Type.String(), Type.String());
const Quantities = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]));
const Resources = Type.Object({ limits: maybe(Quantities), requests: maybe(Quantities) });

const Container = Type.Object({
  name: Type.String(),
  restartPolicy: maybe(Type.String()),
  ports: maybe(Type.Array(Type.Object({ containerPort: maybe(Type.Number()) }))),
  resources: maybe(Resources),
  securityContext: maybe(
    Type.Object({
      runAsUser: maybe(Type.Integer()),
      readOnlyRootFilesystem: maybe(Type.Boolean()),
      allowPrivilegeEscalation: maybe(Type.Boolean()),
      seccompProfile: maybe(Type.Object({})),
      capabilities: maybe(Type.Object({ add: maybe(Type.Array(Type.String())) })),
    }),
  ),
  volumeMounts: maybe(Type.Array(Type.Unknown())),
  resizePolicy: Type.Optional(Type.Unknown()),
});

const Requirements = Type.Array(
  Type.Object({ key: Type.String(), operator: Type.String(), values: maybe(Type.Array(Type.String())) }),
);
const Term = Type.Object({ matchExpressions: maybe(Requirements), matchFields: maybe(Requirements) });

const NodeAffinity = Type.Object({
  requiredDuringSchedulingIgnoredDuringExecution: maybe(Type.Object({ nodeSelectorTerms: maybe(Type.Array(Term)) })),
  preferredDuringSchedulingIgnoredDuringExecution: maybe(
    Type.Array(Type.Object({ weight: maybe(Type.Number()), preference: maybe(Term) })),
  ),
});

const ProjectedSource = Type.Object({
  serviceAccountToken: maybe(Type.Object({})),
  downwardAPI: maybe(Type.Object({})),
  configMap: maybe(Type.Object({ name: maybe(Type.String()) })),
});

/** The shape of what the decision reads of a pod; the rest is the API server's to judge. */
const PodSchema = Type.Object({
  metadata: maybe(
    Type.Object({
      name: maybe(Type.String()),
      generateName: maybe(Type.String()),
      annotations: maybe(StringMap),
    }),
  ),
  spec: Type.Object({
    containers: Type.Array(Container),
    initContainers: maybe(Type.Array(Container)),
    hostNetwork: maybe(Type.Boolean()),
    os: maybe(Type.Object({ name: maybe(Type.String()) })),
    nodeName: maybe(Type.String()),
    nodeSelector: maybe(StringMap),
    affinity: maybe(Type.Object({ nodeAffinity: maybe(NodeAffinity) })),
    securityContext: maybe(Type.Object({ runAsUser: maybe(Type.Integer()) })),
    resources: maybe(Resources),
    volumes: maybe(
      Type.Array(
        Type.Object({
          name: maybe(Type.String()),
          projected: maybe(Type.Object({ sources: maybe(Type.Array(ProjectedSource)) })),
        }),
      ),
    ),
  }),
  status: maybe(Type.Object({ podIPs: maybe(Type.Array(Type.Object({ ip: maybe(Type.String()) }))) })),
});

const check = Compile(PodSchema);

export type PodReading =
  | { readonly ok: true; readonly pod: Pod }
  | { readonly ok: false; readonly where: string; readonly fault: string };

/** The object as a pod, or the first field of the wrong type. Nothing is copied or changed. */
export function readPod(object: unknown): PodReading {
  if (check.Check(object)) return { ok: true, pod: object };
  if (isHuge(object)) return { ok: false, where: "object", fault: "has fields of the wrong type" };
  // A field that may be null fails twice, and the second time says what belongs there.
  const [first] = check
    .Errors(object)
    .filter(({ keyword, message }) => keyword !== "anyOf" && message !== "must be null");
  return {
    ok: false,
    where: fieldPath(first?.instancePath ?? "") || "object",
    fault: first?.message ?? "is malformed",
  };
}

/** Entries; every one of them would be looked at to find the first that is wrong, and no true pod has as many. */
const MAX_ENTRIES = 20_000;

function isHuge(object: unknown): boolean {
  let entries = 0;
  for (const _key of keys(object)) {
    entries += 1;
    if (entries > MAX_ENTRIES) return true;
  }
  return false;
}
