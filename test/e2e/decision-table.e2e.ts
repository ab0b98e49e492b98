import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isSilent, type ReasonCode } from "../../webhook/admission/reasons.ts";
import { sidecar } from "../admission/scene.ts";
import { ASKS, addNamespaces, auditedAnnotations, create, judgeNode, mishaps, pod, untilInjecting } from "./pods.ts";
import { alsoSelect, startBlindReplica } from "./second-configuration.ts";
import { type System, startSystem } from "./system.ts";

const ENABLED = "smc.asm.alibabacloud.com/enabled";
const CONTAINER = { name: "app", image: "registry.example/app:1" };

interface Case {
  readonly pod: ReturnType<typeof pod>;
  readonly namespace: string;
  readonly message: string;
}

const ASKING = "asking";
/** Its pods reach the webhook by a second configuration, which asks about every pod, wherever it is. */
const WIDE = "wide";
/** Its pods reach a replica that may not read the mesh. */
const BLIND = "blind";

const inShop = (spec: object, annotations = ASKS): Pick<Case, "pod" | "namespace"> => ({
  namespace: "shop",
  pod: pod(ASKING, spec, annotations),
});

const ENDS: Record<Exclude<ReasonCode, "MeshDisabled">, Case> = {
  NotRequested: { namespace: WIDE, pod: pod("silent", {}, {}), message: "the pod does not ask for SMC" },
  OptedOut: { ...inShop({}, { [ENABLED]: "false" }), message: "the pod declines SMC" },
  InvalidAnnotation: {
    ...inShop({}, { [ENABLED]: "yes" }),
    message: `${ENABLED} must be "true" or "false", not "yes"`,
  },
  MeshUnknown: { namespace: BLIND, pod: pod(ASKING), message: "the mesh's state has not been read yet" },
  NamespaceNotEnabled: {
    namespace: WIDE,
    pod: pod(ASKING),
    message: `label smc.asm.alibabacloud.com/injection=enabled is missing on namespace ${WIDE}`,
  },
  HostNetwork: {
    ...inShop({ hostNetwork: true }),
    message: "the pod is on the host's network, which must not be changed",
  },
  WindowsPod: { ...inShop({ os: { name: "windows" } }), message: "the pod runs on Windows, which has no SMC" },
  // The API server takes one from anybody, if it names its node; a kubelet's own are for its own node.
  MirrorPod: {
    ...inShop({ nodeName: "node-1" }, { ...ASKS, "kubernetes.io/config.mirror": "0123" }),
    message: "the pod is the image of a static pod, which cannot be changed here",
  },
  NameTaken: {
    ...inShop({ containers: [{ ...CONTAINER, name: "smc-init" }] }),
    message: "a container of the pod's own is named smc-init",
  },
  AnnotationsFull: {
    ...inShop({}, { ...ASKS, "example.com/notes": "x".repeat(260_000) }),
    message: "the pod's annotations leave no room for the webhook's status",
  },
  PodSecurity: {
    namespace: "guarded",
    pod: pod(ASKING),
    message: 'namespace guarded enforces Pod Security "baseline", which refuses smc-init',
  },
  NodeNotEligible: { ...inShop({ nodeName: "node-2" }), message: "node node-2 cannot do SMC: NoRdmaDevice" },
  NoEligibleNode: {
    ...inShop({ nodeSelector: { zone: "nowhere" } }),
    message: "no node that can do SMC suits the pod's nodeSelector and node affinity",
  },
  Injected: { ...inShop({ containers: [CONTAINER, sidecar({})] }), message: "smc-init is in place" },
};

let system: System;

beforeAll(async () => {
  system = await startSystem();
  await judgeNode(system, "node-1", "Eligible");
  await judgeNode(system, "node-2", "NoRdmaDevice");
  await addNamespaces(system, {
    shop: {},
    guarded: { "pod-security.kubernetes.io/enforce": "baseline" },
    [WIDE]: { "smc.asm.alibabacloud.com/injection": "disabled", asks: WIDE },
    [BLIND]: { "smc.asm.alibabacloud.com/injection": "disabled", asks: BLIND },
  });
  await alsoSelect(system, "smc-webhook-wide", { asks: WIDE });
  await startBlindReplica(system, { asks: BLIND });
  await untilInjecting(system, "shop");
});
afterAll(() => system?.stop());

describe("each end of the decision table is in the audit log, and warned of where the pod asked", () => {
  test.each(Object.entries(ENDS))("%s", async (reason, end) => expectEnd(reason as ReasonCode, end));

  test("MeshDisabled", async () => {
    await system.setSwitch(false);
    const disabled = { ...inShop({}), message: "smcEnabled is not true in ASMMeshConfig default" };
    const trial = async () => (await create(system, "shop", disabled.pod, "--dry-run=server")).warnings[0];
    await expect.poll(trial, { timeout: 10_000 }).toMatch(/^MeshDisabled/);
    await expectEnd("MeshDisabled", disabled);
    await system.setSwitch(true);
    await untilInjecting(system, "shop");
  });
});

async function expectEnd(reason: ReasonCode, { namespace, pod: asked, message }: Case): Promise<void> {
  const object = { ...asked, metadata: { ...asked.metadata, name: `${asked.metadata.name}-${reason.toLowerCase()}` } };
  const reached = async () => (await create(system, namespace, object, "--dry-run=server")).warnings;
  const warnings = isSilent(reason) ? [] : [`${reason}: ${message}`];
  await expect.poll(reached, { timeout: 10_000 }).toEqual(warnings);

  const { pod: made } = await create(system, namespace, object);
  expect(await auditedAnnotations(system, made)).toMatchObject({ reason, message });
  const inits = (made.spec?.initContainers ?? []).map(({ name }) => name);
  expect(inits).toEqual(reason === "Injected" ? ["smc-init"] : []);
}

test("a pod without the annotation never reaches the webhook as it is installed", async () => {
  const { pod: made, warnings } = await create(system, "shop", pod("plain", {}, {}));
  expect(warnings).toEqual([]);
  expect(await auditedAnnotations(system, made)).toEqual({});
});

test("no pod was refused, and no call failed", async () => {
  expect(await mishaps(system)).toEqual([]);
});
