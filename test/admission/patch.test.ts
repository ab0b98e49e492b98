import fc from "fast-check";
import jsonPatch from "fast-json-patch";
import { describe, expect, it } from "vitest";
import { add, type Operation, pointer, remove, replace, valueAt, writer } from "../../webhook/admission/patch.ts";

const applied = (document: unknown, operations: readonly Operation[]) =>
  jsonPatch.applyPatch(structuredClone(document), structuredClone(operations) as jsonPatch.Operation[], true)
    .newDocument;

describe("a JSON Pointer", () => {
  /** The examples of RFC 6901, section 5. */
  it.each([
    [[], ""],
    [["foo"], "/foo"],
    [["foo", 0], "/foo/0"],
    [[""], "/"],
    [["a/b"], "/a~1b"],
    [["c%d"], "/c%d"],
    [["e^f"], "/e^f"],
    [["g|h"], "/g|h"],
    [["i\\j"], "/i\\j"],
    [['k"l'], '/k"l'],
    [[" "], "/ "],
    [["m~n"], "/m~0n"],
    [["~1"], "/~01"],
    [["~0/~1"], "/~00~1~01"],
    [["a", "b/c", "d"], "/a/b~1c/d"],
  ])("from %j is %s", (parts, expected) => {
    expect(pointer(...parts)).toBe(expected);
  });

  it("leads to the value of any key", () => {
    const key = fc.string().filter((text) => text !== "__proto__");
    fc.assert(
      fc.property(key, key, (outer, inner) => {
        const document = { [outer]: { [inner]: 1 } };
        expect(jsonPatch.getValueByPointer(document, pointer(outer, inner))).toBe(1);
      }),
    );
  });
});

describe("the operations", () => {
  it("are those of RFC 6902", () => {
    const patch = [add("/a/-", 3), replace("/a/0", 0), remove("/a/1")];
    expect(patch).toEqual([
      { op: "add", path: "/a/-", value: 3 },
      { op: "replace", path: "/a/0", value: 0 },
      { op: "remove", path: "/a/1" },
    ]);
    expect(applied({ a: [1, 2] }, patch)).toEqual({ a: [0, 3] });
  });
});

describe("the value at a path", () => {
  const root = { a: { b: [null, { c: 0 }] }, n: null };

  it.each([
    [["a", "b", "1", "c"], 0],
    [["a", "b", "0"], null],
    [["n"], null],
    [["n", "x"], undefined],
    [["a", "x", "y"], undefined],
    [["constructor"], undefined],
    [["a", "__proto__"], undefined],
    [["a", "b", "length", "x"], undefined],
  ])("%j is %j", (parts, expected) => {
    expect(valueAt(root, parts)).toBe(expected);
  });
});

describe("a writer", () => {
  const limit = ["resources", "limits", "cpu"];

  it.each([
    [{}],
    [{ resources: null }],
    [{ resources: {} }],
    [{ resources: { limits: null } }],
    [{ resources: { limits: { cpu: "1" } } }],
  ])("sets a value below %j", (container) => {
    const document = { spec: [container] };
    const write = writer(container, "/spec/0");
    expect(applied(document, write(limit, "2"))).toMatchObject({ spec: [{ resources: { limits: { cpu: "2" } } }] });
  });

  it("makes an object once, though two values go into it", () => {
    const write = writer({}, "");
    const operations = [...write(limit, "2"), ...write(["resources", "limits", "memory"], "1Gi")];
    expect(operations.map(({ path }) => path)).toEqual([
      "/resources",
      "/resources/limits",
      "/resources/limits/cpu",
      "/resources/limits/memory",
    ]);
  });

  it("leaves what is there", () => {
    const container = { resources: { requests: { cpu: "1" }, limits: { memory: "1Gi" } } };
    expect(applied(container, writer(container, "")(limit, "2"))).toEqual({
      resources: { requests: { cpu: "1" }, limits: { memory: "1Gi", cpu: "2" } },
    });
  });
});
