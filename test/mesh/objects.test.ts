import { describe, expect, it } from "vitest";
import { meshState, readNamespace, readNode, readSwitch } from "../../webhook/mesh/objects.ts";

const config = (spec: unknown) => ({ metadata: { name: "default", resourceVersion: "42" }, spec });
const labelled = (labels: unknown) => ({ metadata: { name: "a", labels } });
const ELIGIBLE = "smc.asm.alibabacloud.com/eligible";

describe("the switch", () => {
  it("is on for the boolean true and for nothing else", () => {
    expect(readSwitch(config({ smcEnabled: true }))).toEqual({ enabled: true, resourceVersion: "42" });
  });

  it("is off without a note where somebody wrote false", () => {
    expect(readSwitch(config({ smcEnabled: false }))).toEqual({ enabled: false, resourceVersion: "42" });
  });

  it.each([
    [config({ smcEnabled: "true" }), 'spec.smcEnabled is the string "true"; it must be the boolean true'],
    [config({ smcEnabled: 1 }), "spec.smcEnabled is the number 1; it must be the boolean true"],
    [config({ smcEnabled: null }), "spec.smcEnabled is empty; it must be the boolean true"],
    [config({ smcEnabled: [true] }), "spec.smcEnabled is a list; it must be the boolean true"],
    [config({}), "spec.smcEnabled is not set"],
    [config(undefined), "spec.smcEnabled is not set"],
    [config(null), "spec.smcEnabled is not set"],
    [config([]), "spec is a list; it must be a mapping"],
    [config("on"), 'spec is the string "on"; it must be a mapping'],
    [config(Object.create({ smcEnabled: true })), "spec.smcEnabled is not set"],
    [null, "spec.smcEnabled is not set"],
    [undefined, 'there is no ASMMeshConfig (istio.alibabacloud.com/v1beta1) named "default"'],
  ])("is off with a note for %j", (object, note) => {
    expect(readSwitch(object)).toMatchObject({ enabled: false, note });
  });
});

describe("a node", () => {
  it("is eligible with its reason, its method and its labels", () => {
    const labels = {
      [ELIGIBLE]: "true",
      "smc.asm.alibabacloud.com/reason": "Eligible",
      "smc.asm.alibabacloud.com/method": "bpf",
      zone: "b",
    };
    expect(readNode(labelled(labels))).toEqual({
      value: {
        verdict: { name: "a", eligible: true, reason: "Eligible", method: "bpf" },
        labels: new Map(Object.entries(labels)),
      },
    });
  });

  it.each(["false", "True", "yes", ""])("is not eligible for the value %j, and its labels are not kept", (value) => {
    const labels = { [ELIGIBLE]: value, "smc.asm.alibabacloud.com/reason": "NoRdmaDevice" };
    expect(readNode(labelled(labels))).toEqual({
      value: { verdict: { name: "a", eligible: false, reason: "NoRdmaDevice" }, labels: undefined },
    });
  });

  it("is left out where nobody has judged it", () => {
    expect(readNode(labelled({ zone: "b" }))).toEqual({ value: undefined });
    expect(readNode(labelled(undefined))).toEqual({ value: undefined });
  });

  it.each([true, 1, null, ["true"]])("is refused with a label whose value is %j", (value) => {
    const read = readNode(labelled({ [ELIGIBLE]: value }));
    expect(read).toMatchObject({ fault: { path: ["metadata", "labels", ELIGIBLE] } });
    expect(read).toMatchObject({ fault: { message: expect.stringMatching(/^label .* must be a string: quote it$/) } });
  });

  it.each([
    {},
    { metadata: null },
    { metadata: {} },
    { metadata: { name: "" } },
    { metadata: [] },
  ])("is refused without a name: %j", (object) => {
    expect(readNode(object)).toMatchObject({ fault: { message: "the object has no metadata.name" } });
  });

  it("is refused with a name that is a number", () => {
    const message = "metadata.name is the number 12; it must be a string: quote it";
    expect(readNode({ metadata: { name: 12 } })).toMatchObject({ fault: { message } });
  });
});

describe("a namespace", () => {
  it("is its name and its labels", () => {
    expect(readNamespace(labelled({ x: "y" }))).toEqual({ value: { name: "a", labels: new Map([["x", "y"]]) } });
    expect(readNamespace(labelled(null))).toEqual({ value: { name: "a", labels: new Map() } });
  });

  it("is refused with labels that are a list", () => {
    const message = "metadata.labels is a list; it must be a mapping";
    expect(readNamespace(labelled(["x"]))).toMatchObject({ fault: { message } });
  });
});

it("the state holds every judged node, and asks only the eligible ones", () => {
  const state = meshState({
    meshSwitch: { enabled: true },
    nodes: [
      { verdict: { name: "good", eligible: true, reason: "Eligible" }, labels: new Map([["zone", "b"]]) },
      { verdict: { name: "bad", eligible: false, reason: "NoRdmaDevice" }, labels: undefined },
    ],
    namespaces: [{ name: "shop", labels: new Map() }],
  });
  expect([...state.nodes.keys()]).toEqual(["good", "bad"]);
  expect(state.eligible.size).toBe(1);
  expect(state.eligible.has("good")).toBe(true);
  expect([...state.namespaces.keys()]).toEqual(["shop"]);
});
