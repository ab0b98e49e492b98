import type { V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import type { AdmissionSettings } from "../../webhook/settings/schema.ts";
import { expectCanonical } from "./invariants.ts";
import { betweenRounds } from "./model/api-server.ts";
import { container, injected, named, pod, settings, sidecar } from "./scene.ts";

type Relaxations = Partial<AdmissionSettings["relaxations"]>;

const NONE: Relaxations = { cpuLimit: 1 };
const asking = (relaxations: Relaxations) => ({ settings: settings({ relaxations }) });

/** The pod with the sidecar in each of the two lists. */
const LISTS = [
  ["initContainers", (proxy: object) => pod({ initContainers: [container("istio-init"), proxy] })],
  ["containers", (proxy: object) => pod({ containers: [container("app"), proxy] })],
] as const;

const proxyOf = (object: V1Pod) => named(object, "istio-proxy");
const statusOf = (object: V1Pod) => JSON.parse(object.metadata?.annotations?.[ANNOTATION.status] ?? "{}");

const withLimits = (limits: object, requests: object = { cpu: "1m", memory: "1Mi" }) =>
  sidecar({ resources: { limits, requests } });
const withContext = (securityContext: unknown) => sidecar({ securityContext });

const CPU = { cpuLimit: 2 };
const MEMORY = { cpuLimit: 1, memoryLimit: 1.5 };
const CAPABILITIES: Relaxations = { cpuLimit: 1, capabilities: ["IPC_LOCK", "SYS_RESOURCE"] };
const WRITABLE: Relaxations = { cpuLimit: 1, readOnlyRootFilesystem: "off" };
const ESCALATION: Relaxations = { cpuLimit: 1, allowPrivilegeEscalation: "on" };
const SECCOMP: Relaxations = { cpuLimit: 1, seccompProfile: "Unconfined" };
const ALL: Relaxations = { ...CPU, ...MEMORY, ...CAPABILITIES, ...WRITABLE, ...ESCALATION, ...SECCOMP, cpuLimit: 2 };

const resources = (limits: object, requests: object = { cpu: "1m", memory: "1Mi" }) => ({
  resources: { limits, requests },
});
const context = (securityContext: object) => ({ securityContext });

describe.each(LISTS)("a sidecar in %s", (_, podWith) => {
  it.each<readonly [string, Relaxations, object, object]>([
    ["cpuLimit doubles", CPU, withLimits({ cpu: "2" }), resources({ cpu: "4" })],
    ["cpuLimit doubles what a person wrote", CPU, withLimits({ cpu: 0.5 }), resources({ cpu: "1" })],
    [
      "cpuLimit rounds up to what the API server keeps",
      { cpuLimit: 1.5 },
      withLimits({ cpu: "15m" }),
      resources({ cpu: "23m" }),
    ],
    ["memoryLimit scales", MEMORY, withLimits({ memory: "1Gi" }), resources({ memory: "1536Mi" })],
    [
      "capabilities are added",
      CAPABILITIES,
      withContext({ capabilities: { add: ["IPC_LOCK"], drop: ["ALL"] } }),
      context({ capabilities: { add: ["IPC_LOCK", "SYS_RESOURCE"], drop: ["ALL"] } }),
    ],
    [
      "capabilities are added to none",
      CAPABILITIES,
      withContext({ capabilities: null }),
      context({ capabilities: { add: ["IPC_LOCK", "SYS_RESOURCE"] } }),
    ],
    [
      "capabilities are added to no context",
      CAPABILITIES,
      withContext(null),
      context({ capabilities: { add: ["IPC_LOCK", "SYS_RESOURCE"] } }),
    ],
    [
      "capabilities are added to an absent context",
      CAPABILITIES,
      withContext(undefined),
      context({ capabilities: { add: ["IPC_LOCK", "SYS_RESOURCE"] } }),
    ],
    [
      "readOnlyRootFilesystem is taken back",
      WRITABLE,
      withContext({ readOnlyRootFilesystem: true, runAsUser: 1 }),
      context({ readOnlyRootFilesystem: false, runAsUser: 1 }),
    ],
    [
      "allowPrivilegeEscalation is allowed",
      ESCALATION,
      withContext({ allowPrivilegeEscalation: false }),
      context({ allowPrivilegeEscalation: true }),
    ],
    [
      "seccompProfile is taken away",
      SECCOMP,
      withContext({ seccompProfile: { type: "Localhost", localhostProfile: "a" } }),
      context({ seccompProfile: { type: "Unconfined" } }),
    ],
    [
      "seccompProfile is set where the context is absent",
      SECCOMP,
      withContext(undefined),
      context({ seccompProfile: { type: "Unconfined" } }),
    ],
  ])("is relaxed: %s", (_name, relaxations, proxy, expected) => {
    const object = podWith(JSON.parse(JSON.stringify(proxy)));
    const after = expectCanonical(object, asking(relaxations));
    expect(proxyOf(after)).toMatchObject(expected);
    expect(Object.keys(statusOf(after).relaxed)).toHaveLength(1);
  });

  it.each<readonly [string, Relaxations, object]>([
    ["nothing, where every setting keeps", NONE, sidecar()],
    ["no limit, where there is none", CPU, sidecar({ resources: null })],
    ["no limit, where there is none in the list", CPU, withLimits({ memory: "1Gi" })],
    ["no limit of zero", CPU, withLimits({ cpu: "0m", memory: "1Gi" })],
    ["no limit below zero", CPU, withLimits({ cpu: "-1000m", memory: "1Gi" })],
    ["no limit that is no quantity", CPU, withLimits({ cpu: "lots", memory: "1Gi" })],
    ["no capabilities, where it has all", CAPABILITIES, withContext({ capabilities: { add: ["ALL"] } })],
    [
      "no capabilities, where it has these",
      CAPABILITIES,
      withContext({ capabilities: { add: ["SYS_RESOURCE", "IPC_LOCK"] } }),
    ],
    ["no root filesystem that is writable", WRITABLE, withContext({ readOnlyRootFilesystem: false })],
    ["no root filesystem of which nothing is said", WRITABLE, withContext({ readOnlyRootFilesystem: null })],
    ["no escalation of which nothing is said", ESCALATION, withContext({})],
    ["no seccompProfile that is unconfined", SECCOMP, withContext({ seccompProfile: { type: "Unconfined" } })],
  ])("is left as it is: %s", (_name, relaxations, proxy) => {
    const after = injected(podWith(proxy), asking(relaxations));
    expect(proxyOf(after)).toEqual(proxy);
    expect(statusOf(after).relaxed).toEqual({});
  });

  it("is relaxed in all ways together, and its status says how it was", () => {
    const { relaxed } = statusOf(expectCanonical(podWith(sidecar()), asking(ALL)));
    expect(relaxed).toEqual({
      cpuLimit: { from: "2", to: "4" },
      memoryLimit: { from: "1Gi", to: "1536Mi" },
      capabilities: { from: null, to: ["IPC_LOCK", "SYS_RESOURCE"] },
      readOnlyRootFilesystem: { from: true, to: false },
      allowPrivilegeEscalation: { from: false, to: true },
      seccompProfile: { from: null, to: { type: "Unconfined" } },
    });
  });

  it("runs as the user and the group it ran as", () => {
    const after = proxyOf(injected(podWith(sidecar()), asking(ALL)));
    expect(after.securityContext).toMatchObject({ runAsUser: 1337, runAsGroup: 1337 });
    const bare = proxyOf(injected(podWith(withContext({})), asking(ALL)));
    expect(Object.keys(bare.securityContext ?? {})).not.toContain("runAsUser");
  });

  it("is relaxed once, in however many rounds", () => {
    let object = betweenRounds(injected(podWith(sidecar()), asking(ALL)));
    const once = proxyOf(object);
    for (let round = 0; round < 3; round++) object = betweenRounds(injected(object, asking(ALL)));
    expect(proxyOf(object)).toEqual(once);
  });

  it("is relaxed again where Istio made it anew", () => {
    const once = injected(podWith(sidecar()), asking(ALL));
    const anew = structuredClone(once);
    Object.assign(proxyOf(anew), sidecar());
    expect(injected(anew, asking(ALL))).toEqual(once);
  });

  it("is relaxed from what it was made with, where Istio made it anew with another limit", () => {
    const anew = structuredClone(injected(podWith(sidecar()), asking(CPU)));
    Object.assign(proxyOf(anew), withLimits({ cpu: "3" }));
    const again = injected(anew, asking(CPU));
    expect(proxyOf(again).resources?.limits).toEqual({ cpu: "6" });
    expect(statusOf(again).relaxed).toEqual({ cpuLimit: { from: "3", to: "6" } });
  });
});

it("relaxes no other container, and none of another name", () => {
  const object = pod({
    containers: [
      { ...sidecar(), name: "app" },
      { ...sidecar(), name: "istio-proxy-2" },
    ],
  });
  const after = injected(object, asking(ALL));
  expect(after.spec?.containers).toEqual(object.spec.containers);
});
