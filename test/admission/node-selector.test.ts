import { describe, expect, it } from "vitest";
import { ask, mesh, pod } from "./scene.ts";

/** Whether a pod with these demands gets onto one node, `rdma-a`, with these labels. */
function suits(spec: object, labels: Readonly<Record<string, string>>): boolean {
  const { decision } = ask(pod(spec), { mesh: mesh({ eligible: { "rdma-a": labels } }) });
  if (decision.reason !== "Injected") expect(decision.reason).toBe("NoEligibleNode");
  return decision.reason === "Injected";
}

const required = (...nodeSelectorTerms: readonly object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const requirement = (key: string, operator: string, ...values: readonly string[]) => ({ key, operator, values });
const labelled = (...expressions: readonly object[]) => required({ matchExpressions: expressions });
const fields = (...requirements: readonly object[]) => required({ matchFields: requirements });

describe("an operator on a label", () => {
  it.each([
    ["In", ["a"], "a", true],
    ["In", ["b", "a"], "a", true],
    ["In", ["b"], "a", false],
    ["In", ["a"], undefined, false],
    ["In", [""], "", true],
    ["In", [], "a", false],
    ["NotIn", ["b"], "a", true],
    ["NotIn", ["b", "a"], "a", false],
    ["NotIn", ["a"], undefined, true],
    ["NotIn", [], "a", false],
    ["Exists", [], "a", true],
    ["Exists", [], "", true],
    ["Exists", [], undefined, false],
    ["Exists", ["a"], "a", false],
    ["DoesNotExist", [], undefined, true],
    ["DoesNotExist", [], "", false],
    ["DoesNotExist", ["a"], undefined, false],
    ["Gt", ["5"], "6", true],
    ["Gt", ["5"], "5", false],
    ["Gt", ["10"], "9", false],
    ["Gt", ["5"], undefined, false],
    ["Gt", ["5", "6"], "7", false],
    ["Gt", [], "7", false],
    ["Lt", ["5"], "4", true],
    ["Lt", ["5"], "5", false],
    ["Lt", ["9"], "10", false],
    ["Lt", ["5"], undefined, false],
    ["in", ["a"], "a", false],
    ["Equals", ["a"], "a", false],
    ["", ["a"], "a", false],
  ] as const)("%s %j on %j: %s", (operator, values, label, expected) => {
    expect(suits(labelled(requirement("k", operator, ...values)), label === undefined ? {} : { k: label })).toBe(
      expected,
    );
  });

  it("takes null values for none", () => {
    expect(suits(labelled({ key: "k", operator: "Exists", values: null }), { k: "a" })).toBe(true);
    expect(suits(labelled({ key: "k", operator: "Exists" }), { k: "a" })).toBe(true);
    expect(suits(labelled({ key: "k", operator: "In", values: null }), { k: "a" })).toBe(false);
  });

  it("finds no match with a value that no label can have, as the scheduler", () => {
    expect(suits(labelled(requirement("k", "NotIn", "not a label")), { k: "a" })).toBe(false);
    expect(suits(labelled(requirement("k", "In", "a", "-")), { k: "a" })).toBe(false);
    expect(suits(labelled(requirement("k", "NotIn", "x".repeat(64))), { k: "a" })).toBe(false);
    expect(suits(labelled(requirement("k", "NotIn", "x".repeat(63))), { k: "a" })).toBe(true);
  });
});

describe("Gt and Lt compare 64-bit integers", () => {
  it.each([
    ["Gt", "9223372036854775806", "9223372036854775807", true],
    ["Gt", "9007199254740992", "9007199254740993", true],
    ["Gt", "5", "9223372036854775808", false],
    ["Lt", "9223372036854775807", "9223372036854775806", true],
    ["Lt", "9223372036854775808", "5", false],
    ["Lt", "5", "-9223372036854775808", true],
    ["Lt", "5", "-9223372036854775809", false],
    ["Gt", "5", "+6", true],
    ["Gt", "-1", "5", false],
    ["Gt", "5", "6.5", false],
    ["Gt", "5", "0x10", false],
    ["Gt", "5", "1e3", false],
    ["Gt", "5", " 6", false],
    ["Gt", "5", "1_000", false],
    ["Gt", "5", "", false],
    ["Gt", "", "5", false],
    ["Gt", "007", "8", true],
    ["Gt", "5", "٦", false],
  ])("%s %s on a node's %j: %s", (operator, value, label, expected) => {
    expect(suits(labelled(requirement("k", operator, value)), { k: label })).toBe(expected);
  });
});

describe("an operator on the node's name", () => {
  it.each([
    [requirement("metadata.name", "NotIn", "rdma-a"), false],
    [requirement("metadata.name", "NotIn", "other"), true],
    [requirement("metadata.name", "NotIn", "other", "another"), false],
    [requirement("metadata.name", "In", "rdma-a", "other"), false],
    [requirement("metadata.name", "In"), false],
    [requirement("metadata.name", "Exists"), false],
    [requirement("metadata.namespace", "In", "rdma-a"), false],
    [requirement("spec.unschedulable", "NotIn", "true"), false],
  ])("%j: %s", (field, expected) => {
    expect(suits(fields(field), {})).toBe(expected);
  });

  it("must hold with all the others of its term", () => {
    const here = requirement("metadata.name", "In", "rdma-a");
    expect(suits(fields(here, requirement("metadata.name", "NotIn", "other")), {})).toBe(true);
    expect(suits(fields(here, requirement("metadata.name", "NotIn", "rdma-a")), {})).toBe(false);
    expect(suits(fields(here, requirement("metadata.name", "In", "other")), {})).toBe(false);
  });
});

describe("the terms", () => {
  const a = requirement("k", "In", "a");
  const b = requirement("k", "In", "b");

  it("are alternatives", () => {
    const either = required({ matchExpressions: [a] }, { matchExpressions: [b] });
    expect(suits(either, { k: "b" })).toBe(true);
    expect(suits(either, { k: "c" })).toBe(false);
  });

  it("must hold in all their expressions", () => {
    expect(suits(labelled(a, requirement("l", "Exists")), { k: "a" })).toBe(false);
    expect(suits(labelled(a, requirement("l", "Exists")), { k: "a", l: "" })).toBe(true);
    expect(suits(labelled(a, b), { k: "a" })).toBe(false);
  });

  it("must hold in expressions and fields", () => {
    const both = (name: string) =>
      required({ matchExpressions: [a], matchFields: [requirement("metadata.name", "NotIn", name)] });
    expect(suits(both("other"), { k: "a" })).toBe(true);
    expect(suits(both("other"), { k: "b" })).toBe(false);
    expect(suits(both("rdma-a"), { k: "a" })).toBe(false);
  });

  it.each([
    {},
    { matchExpressions: [] },
    { matchFields: null },
    { matchExpressions: null, matchFields: [] },
  ])("suit no node where empty: %j", (empty) => {
    expect(suits(required(empty), { k: "a" })).toBe(false);
    expect(suits(required(empty, { matchExpressions: [a] }), { k: "a" })).toBe(true);
  });

  it.each([
    {},
    { nodeSelectorTerms: null },
    { nodeSelectorTerms: [] },
  ])("suit no node where there are none: %j", (none) => {
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: none } };
    expect(suits({ affinity }, {})).toBe(false);
  });

  it("are not spoilt by another that is malformed", () => {
    const terms = required({ matchExpressions: [requirement("k", "Near", "a")] }, { matchExpressions: [a] });
    expect(suits(terms, { k: "a" })).toBe(true);
  });

  it("are not asked where they are only preferred", () => {
    const preferred = [{ weight: 1, preference: { matchExpressions: [b] } }];
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } };
    expect(suits({ affinity }, { k: "a" })).toBe(true);
  });
});

describe("the node selector", () => {
  it("must hold in every label", () => {
    expect(suits({ nodeSelector: { k: "a", l: "b" } }, { k: "a", l: "b", m: "c" })).toBe(true);
    expect(suits({ nodeSelector: { k: "a", l: "b" } }, { k: "a" })).toBe(false);
    expect(suits({ nodeSelector: { k: "" } }, {})).toBe(false);
  });

  it("must hold with the affinity, on one and the same node", () => {
    const spec = { nodeSelector: { k: "a" }, ...labelled(requirement("l", "Exists")) };
    expect(suits(spec, { k: "a", l: "" })).toBe(true);
    const state = mesh({ eligible: { "rdma-a": { k: "a" }, "rdma-b": { l: "" } } });
    expect(ask(pod(spec), { mesh: state }).decision.reason).toBe("NoEligibleNode");
  });

  it("does not find what objects inherit", () => {
    for (const key of ["constructor", "toString", "hasOwnProperty"]) {
      expect(suits({ nodeSelector: { [key]: "a" } }, {})).toBe(false);
      expect(suits(labelled(requirement(key, "Exists")), {})).toBe(false);
      expect(suits(labelled(requirement(key, "DoesNotExist")), {})).toBe(true);
    }
  });
});
