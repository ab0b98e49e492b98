import { describe, expect, it } from "vitest";
import { expectCanonical } from "./invariants.ts";
import { container, named, pod, settings, sidecar } from "./scene.ts";

const asked = { settings: settings({ relaxations: { cpuLimit: 2, memoryLimit: 2 } }) };

const SAME = { cpu: "1", memory: "1Gi" };
const GUARANTEED = { limits: SAME, requests: SAME };

/** The sidecar's limits after the webhook, of a pod with an application beside it. */
function limitsOf(app: unknown, proxy: unknown, rest: object = {}) {
  const object = pod({
    containers: [container("app", { resources: app })],
    initContainers: [sidecar({ resources: proxy })],
    ...rest,
  });
  return named(expectCanonical(JSON.parse(JSON.stringify(object)), asked), "istio-proxy").resources?.limits;
}

describe("the sidecar's limits", () => {
  it("stay where the pod is Guaranteed", () => {
    expect(limitsOf(GUARANTEED, GUARANTEED)).toEqual(SAME);
    expect(limitsOf(GUARANTEED, { limits: { cpu: "1000m", memory: "1024Mi" }, requests: SAME })).toEqual({
      cpu: "1000m",
      memory: "1024Mi",
    });
  });

  it("stay where the pod is Guaranteed, its requests not yet written", () => {
    expect(limitsOf({ limits: SAME }, { limits: SAME })).toEqual(SAME);
  });

  it("grow where the pod is Burstable, though the sidecar's requests equal its limits", () => {
    expect(limitsOf({ requests: { cpu: "1" } }, GUARANTEED)).toEqual({ cpu: "2", memory: "2Gi" });
    expect(limitsOf(undefined, GUARANTEED)).toEqual({ cpu: "2", memory: "2Gi" });
  });

  it("grow each for itself", () => {
    expect(limitsOf(GUARANTEED, { limits: { cpu: "1" }, requests: { cpu: "1" } })).toEqual({ cpu: "2" });
    expect(limitsOf(GUARANTEED, { limits: { memory: "1Gi" } })).toEqual({ memory: "2Gi" });
  });

  it("are not counted where they are zero", () => {
    expect(limitsOf({}, { limits: { cpu: "0", memory: "0" }, requests: { cpu: "0" } })).toEqual({
      cpu: "0",
      memory: "0",
    });
    expect(limitsOf(GUARANTEED, { limits: { cpu: "0", memory: "1Gi" } })).toEqual({ cpu: "0", memory: "2Gi" });
  });

  it("stay below the pod's own", () => {
    const own = (cpu: string) => ({
      resources: { limits: { cpu, memory: "4Gi" }, requests: { cpu: "1", memory: "4Gi" } },
    });
    expect(limitsOf(undefined, GUARANTEED, own("2"))).toEqual({ cpu: "2", memory: "2Gi" });
    expect(limitsOf(undefined, GUARANTEED, own("1900m"))).toEqual({ cpu: "1", memory: "2Gi" });
  });

  it("grow in a pod that is Guaranteed by its own resources", () => {
    const own = { resources: { limits: { cpu: "4", memory: "4Gi" }, requests: { cpu: "4", memory: "4Gi" } } };
    expect(limitsOf(undefined, GUARANTEED, own)).toEqual({ cpu: "2", memory: "2Gi" });
  });
});
