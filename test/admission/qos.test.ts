import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Container, PodSpec } from "../../webhook/admission/pod.ts";
import { qosClass } from "../../webhook/admission/qos.ts";
import { qosOf } from "./model/qos.ts";

type Resources = NonNullable<Container["resources"]>;

const of = (...all: readonly (Resources | null | undefined)[]) =>
  qosClass(all.map((resources, index) => ({ name: `c${index}`, resources })));

const full = { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "1", memory: "1Gi" } };

describe("the QoS class", () => {
  it.each([
    ["Guaranteed where requests equal limits in all containers", "Guaranteed", [full, full]],
    ["Guaranteed where requests are missing", "Guaranteed", [{ limits: full.limits }]],
    ["Guaranteed in whatever units", "Guaranteed", [{ ...full, requests: { cpu: "1000m", memory: "1024Mi" } }]],
    [
      "Guaranteed in numbers too",
      "Guaranteed",
      [{ limits: { cpu: 1, memory: 1e9 }, requests: { cpu: "1", memory: "1G" } }],
    ],
    ["Burstable where one container has none", "Burstable", [full, undefined]],
    ["Burstable where one container has null", "Burstable", [full, null]],
    ["Burstable where memory is missing", "Burstable", [{ limits: { cpu: "1" }, requests: { cpu: "1" } }]],
    [
      "Burstable where a request is below its limit",
      "Burstable",
      [{ ...full, requests: { cpu: "1m", memory: "1Gi" } }],
    ],
    ["Burstable where a request is zero", "Burstable", [{ ...full, requests: { cpu: "0", memory: "1Gi" } }]],
    ["Burstable with requests alone", "Burstable", [{ requests: { cpu: "1m" } }]],
    ["BestEffort with nothing", "BestEffort", [undefined, null, {}, { limits: null, requests: {} }]],
    ["BestEffort with zeros", "BestEffort", [{ limits: { cpu: "0", memory: 0 }, requests: { cpu: "0m" } }]],
    [
      "BestEffort with other resources",
      "BestEffort",
      [{ limits: { "example.com/nic": "1", "ephemeral-storage": "1Gi" } }],
    ],
    ["BestEffort with what objects inherit", "BestEffort", [{ limits: { constructor: "1" } }]],
    ["BestEffort with negative quantities", "BestEffort", [{ limits: { cpu: "-1", memory: "-1" } }]],
    [
      "not Guaranteed by what is negative",
      "Burstable",
      [{ limits: { cpu: "-1", memory: "1" } }, { limits: { cpu: "2", memory: "1" } }],
    ],
    ["BestEffort with what is no quantity", "BestEffort", [{ limits: { cpu: "much" } }]],
  ] as const)("is %s", (_, expected, resources) => {
    expect(of(...resources)).toBe(expected);
  });

  it("is the pod's own where it has resources, be they empty", () => {
    const container: Container = { name: "app", resources: full };
    const bare: Container = { name: "app" };
    expect(qosClass([bare], full)).toBe("Guaranteed");
    expect(qosClass([container], { limits: full.limits, requests: { cpu: "1m" } })).toBe("Burstable");
    expect(qosClass([container], {})).toBe("BestEffort");
    expect(qosClass([container], null)).toBe("Guaranteed");
  });
});

/** Requests at most as large as limits, as the API server accepts. */
const amount = fc.constantFrom("0", "500m", "0.5", "1", 1, "1000m", "1Ki", "1024");
const pair = fc
  .record({ limit: fc.option(amount), request: fc.option(amount) })
  .filter(({ limit, request }) => request === null || limit === null || rank(request) <= rank(limit));
const resources: fc.Arbitrary<Resources | null> = fc.option(
  fc.record({ cpu: pair, memory: pair }).map(({ cpu, memory }) => ({
    limits: present({ cpu: cpu.limit, memory: memory.limit }),
    requests: present({ cpu: cpu.request, memory: memory.request, "example.com/nic": "1" }),
  })),
);

function rank(quantity: string | number): number {
  return ["0", "500m", "0.5", "1", 1, "1000m", "1Ki", "1024"].indexOf(quantity);
}

function present(list: Readonly<Record<string, string | number | null>>) {
  return Object.fromEntries(Object.entries(list).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

describe("the QoS class of any pod", () => {
  it("is what the model says", () => {
    fc.assert(
      fc.property(fc.array(resources, { maxLength: 4 }), fc.option(resources), (all, ofPod) => {
        const containers = all.map((one, index) => ({ name: `c${index}`, resources: one }));
        const own: PodSpec["resources"] = ofPod;
        expect(qosClass(containers, own)).toBe(qosOf({ spec: { containers, resources: own } }));
      }),
      { numRuns: 2_000 },
    );
  });
});
