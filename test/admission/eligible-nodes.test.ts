import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eligibleNodes } from "../../webhook/admission/eligible-nodes.ts";
import { type LabelledNode, type NodeDemand, suits } from "../../webhook/admission/node-selector.ts";

/** Few keys and values, so that they meet; among them those that every object inherits. */
const key = fc.constantFrom("zone", "rack", "gpu", "__proto__", "constructor", "toString", "");
const value = fc.constantFrom("a", "b", "1", "2", "10", "", "__proto__", "constructor", "not a label");
const name = fc.constantFrom("n0", "n1", "n2", "n3", "__proto__", "constructor");
const operator = fc.constantFrom("In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Near", "__proto__");

const labels = fc.array(fc.tuple(key, value), { maxLength: 5 }).map((entries) => new Map(entries));
const nodes: fc.Arbitrary<readonly LabelledNode[]> = fc.uniqueArray(fc.record({ name, labels }), {
  selector: (node) => node.name,
  maxLength: 6,
});

const values = fc.option(fc.array(value, { maxLength: 4 }), { nil: null });
const requirement = fc.record({ key, operator, values }, { requiredKeys: ["key", "operator"] });
const field = fc.record({
  key: fc.constantFrom("metadata.name", "metadata.name", "metadata.uid"),
  operator,
  values: fc.option(fc.array(name, { maxLength: 2 }), { nil: null }),
});
const list = <T>(item: fc.Arbitrary<T>) => fc.option(fc.array(item, { maxLength: 3 }), { nil: null });
const term = fc.record({ matchExpressions: list(requirement), matchFields: list(field) }, { requiredKeys: [] });
/** Made as JSON.parse makes them: `__proto__` is a key like any other. */
const nodeSelector = fc
  .array(fc.tuple(key, value), { maxLength: 3 })
  .map((entries): Record<string, string> => Object.fromEntries(entries));
const demand: fc.Arbitrary<NodeDemand> = fc.record({
  nodeSelector,
  terms: fc.option(fc.array(term, { maxLength: 4 }), { nil: undefined }),
});

describe("the eligible nodes", () => {
  it("suit a demand where one of them does, however often and in whatever order they are asked", () => {
    fc.assert(
      fc.property(nodes, fc.array(demand, { minLength: 1, maxLength: 6 }), (all, demands) => {
        const eligible = eligibleNodes(all);
        for (const asked of [...demands, ...demands]) {
          expect(eligible.someSuits(asked)).toBe(all.some((node) => suits(asked, node)));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("are known by name", () => {
    const eligible = eligibleNodes([{ name: "n0", labels: new Map() }]);
    expect(eligible.size).toBe(1);
    expect(["n0", "n1", "__proto__", "constructor"].filter((one) => eligible.has(one))).toEqual(["n0"]);
  });
});

/** As many as a large cluster has. */
const many: readonly LabelledNode[] = Array.from({ length: 5_000 }, (_, index) => ({
  name: `n${index}`,
  labels: new Map([
    ["kubernetes.io/hostname", `n${index}`],
    ["zone", `z${index % 3}`],
    ["eligible", "true"],
  ]),
}));

function milliseconds(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Bytes, with the garbage taken away. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

describe("a demand that means harm", () => {
  const distinct = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
  const wanting = (...expressions: readonly { key: string; operator: string; values?: readonly string[] }[]) => ({
    nodeSelector: {},
    terms: [{ matchExpressions: expressions }],
  });
  const terms = (count: number, matchExpressions: (index: number) => readonly { key: string; operator: string }[]) => ({
    nodeSelector: {},
    terms: Array.from({ length: count }, (_, index) => ({ matchExpressions: matchExpressions(index) })),
  });

  /** Each of the size of a request that the API server takes. */
  const demands: Readonly<Record<string, NodeDemand>> = {
    "one value, repeated": wanting(
      { key: "eligible", operator: "In", values: Array(150_000).fill("true") },
      { key: "zone", operator: "In", values: ["nowhere"] },
    ),
    "many values of a label that no node has": wanting({ key: "none", operator: "In", values: distinct(100_000) }),
    "many values of one that all have": wanting({ key: "zone", operator: "NotIn", values: distinct(100_000) }),
    "many keys": { nodeSelector: Object.fromEntries(distinct(50_000).map((one) => [one, "x"])), terms: undefined },
    "many conditions that all nodes fulfil": wanting(
      { key: "kubernetes.io/hostname", operator: "In", values: ["n0"] },
      ...Array.from({ length: 20_000 }, () => ({ key: "eligible", operator: "In", values: ["true"] })),
      { key: "zone", operator: "In", values: ["nowhere"] },
    ),
    "many terms": terms(20_000, (index) => [{ key: "zone", operator: "Gt", values: [`${index}`] }]),
    "many terms of unknown labels": terms(20_000, (index) => [{ key: `k${index}`, operator: "In", values: ["x"] }]),
  };

  it.each(Object.keys(demands))("does not hold up the others: %s", (which) => {
    const eligible = eligibleNodes(many);
    const asked = demands[which];
    expect(milliseconds(() => asked && eligible.someSuits(asked))).toBeLessThan(5_000);
  });

  it("leaves little in memory, a hundred thousand times", () => {
    const eligible = eligibleNodes(many.slice(0, 10));
    const padding = "x".repeat(200);
    const ask = (from: number, to: number) => {
      for (let index = from; index < to; index++) {
        eligible.someSuits({ nodeSelector: { zone: `${index}${padding}`, [`k${index}`]: "" }, terms: undefined });
      }
    };
    ask(0, 2_000);
    const before = heapInUse();
    ask(2_000, 100_000);
    // Remembered all, they would take more than 30 MB.
    expect(heapInUse() - before).toBeLessThan(10e6);
  });
});
