import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { folderOf, meshConfig, namespace, node, openMesh, recordedLog, until } from "./mesh-folder.ts";

const unquoted = node("c").replace('"true"', "true");

describe("a broken file", () => {
  it.each([
    ["text that is no YAML", `${meshConfig()}---\na: b: c\n`, 8, /not valid YAML/],
    [
      "a label that is no string",
      `${node("a")}---\n${unquoted}`,
      15,
      /^label smc.*eligible is the boolean true.*quote it/,
    ],
    ["an object without a kind", "apiVersion: v1\nmetadata: { name: x }\n", 1, /no kind/],
    ["an object without an apiVersion", "\nkind: Node\n", 2, /no apiVersion/],
    ["an object without a name", "apiVersion: v1\nkind: Node\nmetadata:\n  labels: {}\n", 3, /no metadata.name/],
    ["a name that is a number", "apiVersion: v1\nkind: Node\nmetadata:\n  name: 12\n", 4, /must be a string/],
    ["labels that are a list", "apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n  labels: []\n", 5, /is a list/],
    ["a document that is a list", "- a\n- b\n", 1, /accepted: a Kubernetes object/],
    ["an object written twice", `${namespace("x")}---\n${namespace("x")}`, 8, /Namespace x is written twice.*line 1/],
    ["a key written twice", "apiVersion: v1\nkind: Node\nkind: Node\n", 3, /not valid YAML/],
    ["an alias that leads nowhere", "a: *b\n", 1, /alias/],
    ["an alias of itself", "&a { apiVersion: v1, kind: List, items: [*a] }\n", 1, /not readable/],
    ["a fault in an item of a List", listOf(namespace("x"), unquoted), 16, /quote it/],
  ])("with %s is reported with its line, and keeps the mesh unknown", async (_, text, line, message) => {
    const log = recordedLog();
    const folder = folderOf({ "broken.yaml": text, "good.yaml": node("good") });
    const mesh = await openMesh(folder, log);
    expect(mesh.faults).toEqual([
      { where: `${join(folder, "broken.yaml")}:${line}`, message: expect.stringMatching(message) },
    ]);
    expect(mesh.state).toBeUndefined();
    expect(mesh.readAt).toBeUndefined();
    expect(log.lines.filter(({ level }) => level === "error").map(({ fields }) => fields)).toEqual(mesh.faults);

    writeFileSync(join(folder, "broken.yaml"), meshConfig());
    await until(() => mesh.state?.meshSwitch.enabled === true);
    expect(mesh.state?.nodes.has("good")).toBe(true);
    expect(mesh.faults).toEqual([]);
  });

  it("keeps its last good objects, while the other files go on being followed", async () => {
    const log = recordedLog();
    const folder = folderOf({ "mesh.yaml": meshConfig(), "nodes.yaml": node("a") });
    const mesh = await openMesh(folder, log);
    writeFileSync(join(folder, "mesh.yaml"), "spec: [");
    await until(() => mesh.faults.length === 1);
    const readAt = mesh.readAt;
    writeFileSync(join(folder, "nodes.yaml"), `${node("a")}---\n${node("b")}`);
    await until(() => mesh.state?.nodes.size === 2);
    await sleep(250);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
    expect(mesh.readAt).toBe(readAt);
    expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);

    writeFileSync(join(folder, "mesh.yaml"), meshConfig(false));
    await until(() => mesh.state?.meshSwitch.enabled === false);
    expect(mesh.faults).toEqual([]);
    writeFileSync(join(folder, "mesh.yaml"), "spec: [");
    await until(() => log.lines.filter(({ level }) => level === "error").length === 2);
  });

  it("that is new keeps the state that there was", async () => {
    const folder = folderOf({ "mesh.yaml": meshConfig() });
    const mesh = await openMesh(folder);
    writeFileSync(join(folder, "new.yaml"), "spec: [");
    await until(() => mesh.faults.length === 1);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
    rmSync(join(folder, "new.yaml"));
    await until(() => mesh.faults.length === 0);
  });

  it("reports at most ten faults", async () => {
    const mesh = await openMesh(folderOf({ "broken.yaml": "kind: Node\n---\n".repeat(50) }));
    expect(mesh.faults).toHaveLength(10);
  });

  it("is also one that is no UTF-8, a link that leads nowhere, and one that nobody may read", async () => {
    const folder = folderOf({});
    writeFileSync(join(folder, "a.yaml"), Buffer.from([0xff, 0xfe, 0x00]));
    symlinkSync(join(folder, "nowhere"), join(folder, "b.yaml"));
    writeFileSync(join(folder, "c.yaml"), meshConfig());
    chmodSync(join(folder, "c.yaml"), 0);
    mkdirSync(join(folder, "folder.yaml"));
    const mesh = await openMesh(folder);
    const expected = ["the file is not UTF-8 text", "a link that leads nowhere"];
    if (process.getuid?.() !== 0) expected.push("the file cannot be read");
    expect(mesh.faults.map(({ message }) => message.split(":")[0])).toEqual(expected);
    chmodSync(join(folder, "c.yaml"), 0o600);
    rmSync(join(folder, "a.yaml"));
    rmSync(join(folder, "b.yaml"));
    await until(() => mesh.state?.meshSwitch.enabled === true);
  });
});

describe("an object in two files", () => {
  it("is a fault of the second, whose earlier version stays until one of them gives way", async () => {
    const folder = folderOf({ "a.yaml": node("a"), "b.yaml": node("b") });
    const mesh = await openMesh(folder);
    writeFileSync(join(folder, "b.yaml"), `${node("b")}---\n${node("c")}---\n${node("a", "false")}`);
    await until(() => mesh.faults.length === 1);
    expect(mesh.faults).toEqual([
      {
        where: `${join(folder, "b.yaml")}:17`,
        message: `Node a is also in ${join(folder, "a.yaml")}:1; keep one of them`,
      },
    ]);
    expect([...(mesh.state?.nodes.keys() ?? [])].sort()).toEqual(["a", "b"]);
    expect(mesh.state?.eligible.has("a")).toBe(true);

    rmSync(join(folder, "a.yaml"));
    await until(() => mesh.state?.nodes.has("c") === true);
    expect(mesh.state?.eligible.has("a")).toBe(false);
    expect(mesh.faults).toEqual([]);
  });

  it("keeps the mesh unknown from the start", async () => {
    const mesh = await openMesh(folderOf({ "a.yaml": meshConfig(), "b.yaml": meshConfig(false) }));
    expect(mesh.state).toBeUndefined();
    expect(mesh.faults).toHaveLength(1);
  });
});

it("a file named as the folder is a fault that says what to do", async () => {
  const folder = join(folderOf({ mesh: "" }), "mesh");
  const mesh = await openMesh(folder);
  expect(mesh.state).toBeUndefined();
  expect(mesh.faults).toEqual([{ where: folder, message: expect.stringContaining("not a folder; create it") }]);
});

function listOf(...objects: readonly string[]): string {
  const items = objects.map((object) => `- ${object.trimEnd().replaceAll("\n", "\n  ")}\n`);
  return `apiVersion: v1\nkind: List\nitems:\n${items.join("")}`;
}
