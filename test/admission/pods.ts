import fc from "fast-check";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import { settings } from "./scene.ts";

/** Pods of all shapes, as JSON gives them. All ask for SMC, and the node `rdma-a` of `NODES` suits them. */
export const NODES = { eligible: { "rdma-a": { zone: "a", generation: "7" }, "rdma-b": { zone: "b" } } };

type Json = Record<string, unknown>;

const absent = fc.constant(undefined);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof(absent, fc.constant(null), arbitrary);
const often = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary }, { weight: 1, arbitrary: absent });

const oddKey = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "a/b", "a~b", "~1", "~0/~1", "", "-", "0", "é", "toString"),
  fc.string({ maxLength: 8 }),
);
/** Fields that no version of Kubernetes has: they must survive. */
const unknown = fc
  .array(fc.tuple(oddKey, fc.constantFrom<unknown>(null, 0, "", [], {}, { a: [1, { "b/c": null }] }, [[""]])), {
    maxLength: 2,
  })
  .map((entries): Json => Object.fromEntries(entries.map(([key, value]) => [`x-${key}`, value])));

const list = (...quantities: readonly (string | number)[]) => fc.constantFrom(...quantities);
const fits = fc.record({
  cpu: list("1", "2", "1500m", "0.5", 2, "15m", "1e0", "0"),
  memory: list("1Gi", "128Mi", "1.5Gi", "125Ki", "1000Mi", 134217728, "129e6", "100M", "0"),
});
const resources = fc.oneof(
  fits.map((both) => ({ limits: both, requests: both })),
  fits.map((limits) => ({ limits: { ...limits, "ephemeral-storage": "1Gi" } })),
  fits.map((limits) => ({ limits, requests: { cpu: "0", memory: "1" }, claims: [] })),
  fits.map(({ cpu }) => ({ limits: { cpu }, requests: null })),
  fits.map((requests) => ({ requests })),
  fc.constantFrom({}, { limits: null }, { limits: {}, requests: {} }, { limits: { "example.com/nic": "1" } }),
);

const securityContext = fc.record(
  {
    runAsUser: maybe(fc.constantFrom(0, 1337, 2000)),
    runAsGroup: maybe(fc.constantFrom(1337, 2000)),
    readOnlyRootFilesystem: maybe(fc.boolean()),
    allowPrivilegeEscalation: maybe(fc.boolean()),
    seccompProfile: maybe(fc.constantFrom({ type: "RuntimeDefault" }, { type: "Unconfined" }, { type: "Localhost" })),
    capabilities: maybe(
      fc.record(
        { add: maybe(fc.subarray(["NET_ADMIN", "IPC_LOCK", "ALL"])), drop: fc.constant(["ALL"]) },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: [] },
);

const body = fc.record({ resources: maybe(resources), securityContext: maybe(securityContext), unknown });
const container = (name: fc.Arbitrary<string>, restartPolicy: fc.Arbitrary<unknown> = absent): fc.Arbitrary<Json> =>
  fc.record({ name, restartPolicy, body }).map(({ name, restartPolicy, body: { unknown, ...fields } }) => ({
    name,
    image: "registry.example/some:1",
    ...fields,
    restartPolicy,
    ...unknown,
  }));

const appName = fc.constantFrom("app", "web", "a/b~c", "__proto__", "constructor", "", "istio-proxy-2", "é");
const app = container(appName);
const always = fc.constantFrom("Always", "Always", undefined, null);
const initContainer = fc.oneof(
  container(fc.constantFrom("istio-init", "istio-validation"), fc.constantFrom(undefined, undefined, null, "Always")),
  container(fc.constant("smc-init"), fc.constantFrom(undefined, "Always")).map((one) => ({ ...one, env: [] })),
  container(appName, always),
);

/** A sidecar in one of the lists, or in none. */
const containers = fc
  .record({
    apps: fc.array(app, { minLength: 1, maxLength: 3 }),
    inits: maybe(fc.array(initContainer, { maxLength: 5 })),
    sidecar: container(fc.constant("istio-proxy"), always),
    where: fc.constantFrom("nowhere", "containers", "initContainers"),
    place: fc.nat({ max: 5 }),
  })
  .map(({ apps, inits, sidecar, where, place }) => {
    if (where === "containers") return { containers: apps.toSpliced(place, 0, sidecar), initContainers: inits };
    if (where === "nowhere") return { containers: apps, initContainers: inits };
    return { containers: apps, initContainers: (inits ?? []).toSpliced(place, 0, sidecar) };
  });

const holds = { key: "zone", operator: "In", values: ["a"] };
const expression = fc.constantFrom<Json>(
  holds,
  { key: "zone", operator: "In", values: ["nowhere"] },
  { key: "generation", operator: "Gt", values: ["6"] },
  { key: "zone", operator: "DoesNotExist" },
  { key: "zone", operator: "Exists", values: null },
);
const field = { key: "metadata.name", operator: "NotIn", values: ["rdma-b"] };
const expressions = fc.array(expression, { maxLength: 2 });
const term = fc.record(
  { matchExpressions: maybe(expressions), matchFields: maybe(fc.constantFrom([], [field])), "x-note": fc.string() },
  { requiredKeys: [] },
);
const suiting = fc.constantFrom({ matchExpressions: [holds] }, { matchFields: [field], matchExpressions: [] });
const required = fc
  .record({ suiting, before: fc.array(term, { maxLength: 2 }), behind: fc.array(term, { maxLength: 2 }) })
  .map(({ suiting, before, behind }) => ({ nodeSelectorTerms: [...before, suiting, ...behind] }));
const preferred = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 100 }), preference: term }), { maxLength: 2 });
const affinity = fc.record(
  {
    nodeAffinity: maybe(
      fc.record(
        {
          requiredDuringSchedulingIgnoredDuringExecution: maybe(required),
          preferredDuringSchedulingIgnoredDuringExecution: maybe(preferred),
        },
        { requiredKeys: [] },
      ),
    ),
    podAntiAffinity: fc.constantFrom({}, { "x-rule": [1, { deep: null }] }),
  },
  { requiredKeys: [] },
);

/** What an author may have left in the status annotation that nothing in any pod bears out. */
export const garbage = fc.constantFrom(
  "",
  "not JSON",
  "null",
  "[]",
  '"text"',
  '{"relaxed":null}',
  '{"relaxed":["cpuLimit"]}',
  '{"relaxed":{"cpuLimit":"2"}}',
  '{"relaxed":{"cpuLimit":{"from":{},"to":[]},"capabilities":{"from":"ALL","to":7}}}',
  '{"relaxed":{"__proto__":{"from":1,"to":2},"constructor":{"from":1,"to":2}}}',
  '{"relaxed":{"capabilities":{"from":[{"a":1}],"to":null},"seccompProfile":{"from":[[[]]],"to":null}}}',
);
/** What may be true of some pod. */
const forged = fc.constant(
  '{"relaxed":{"cpuLimit":{"from":"1","to":"2"},"memoryLimit":{"from":"64Mi","to":"128Mi"},"seccompProfile":{"from":7,"to":8}}}',
);
const annotations = fc
  .array(fc.tuple(oddKey, fc.string()), { maxLength: 3 })
  .map((entries): Readonly<Record<string, string>> => Object.fromEntries(entries));

const metadata = fc
  .record({
    annotations,
    status: often(fc.oneof(garbage, forged)),
    placement: often(fc.constantFrom("prefer", "require", "ignore", "Prefer")),
    unknown,
  })
  .map(({ annotations, status, placement, unknown }) => ({
    generateName: "web-",
    annotations: {
      ...Object.fromEntries(Object.entries(annotations)),
      [ANNOTATION.enabled]: "true",
      [ANNOTATION.status]: status,
      [ANNOTATION.placement]: placement,
    },
    ...unknown,
  }));

export const pods = fc
  .record({
    metadata,
    containers,
    affinity: maybe(affinity),
    nodeSelector: maybe(fc.constantFrom({}, { zone: "a" })),
    resources: maybe(fc.constantFrom({}, { limits: { cpu: "3", memory: "2Gi" } }, { requests: { cpu: "1" } })),
    securityContext: maybe(fc.record({ runAsUser: maybe(fc.constant(1000)) }, { requiredKeys: [] })),
    unknown,
    above: unknown,
  })
  .map(({ metadata, containers, unknown, above, ...spec }): object =>
    JSON.parse(JSON.stringify({ metadata, spec: { ...spec, ...containers, ...unknown }, ...above })),
  );

const everything = {
  cpuLimit: 1.5,
  memoryLimit: 1.25,
  capabilities: ["IPC_LOCK", "NET_ADMIN"],
  readOnlyRootFilesystem: "off",
  allowPrivilegeEscalation: "on",
  seccompProfile: "Unconfined",
} as const;

export const someSettings = fc.constantFrom(
  settings(),
  settings({ relaxations: everything, initContainer: { cpu: "0.0001", memory: "0.1Gi", pnetId: "NET1" } }),
  settings({ relaxations: { cpuLimit: 1 }, initContainer: { sysctls: { "net.smc.wmem": "1048576" } } }),
  settings({ placement: { mode: "require" }, relaxations: { cpuLimit: 1.001, memoryLimit: 1.333 } }),
  settings({ placement: { mode: "ignore" }, sidecar: { initContainerNames: ["istio-validation"] } }),
);
