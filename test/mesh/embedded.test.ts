import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openEmbeddedMesh } from "../../webhook/mesh/embedded.ts";
import { folderOf, meshConfig, namespace, node, openMesh, recordedLog, temporaryFolder, until } from "./mesh-folder.ts";

describe("a folder of YAML", () => {
  it("gives the switch, the nodes and the namespaces, from several documents, files and kinds of file", async () => {
    const mesh = await openMesh(
      folderOf({
        "mesh.yaml": `# the switch\n---\n${meshConfig()}---\n${namespace("shop")}`,
        "nodes.yml": `${node("a")}---\n${node("b", "false")}`,
        "more.json": JSON.stringify({
          apiVersion: "v1",
          kind: "Node",
          metadata: { name: "c", labels: { "smc.asm.alibabacloud.com/eligible": "true" } },
        }),
        "notes.txt": "not: [read",
        ".hidden.yaml": "not: [read",
      }),
    );
    expect(mesh.faults).toEqual([]);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
    expect([...(mesh.state?.nodes.keys() ?? [])].sort()).toEqual(["a", "b", "c"]);
    expect(mesh.state?.eligible.size).toBe(2);
    expect(mesh.state?.namespaces.get("shop")?.get("smc.asm.alibabacloud.com/injection")).toBe("enabled");
    expect(mesh.readAt).toBeInstanceOf(Date);
    expect(mesh.source.kind).toBe("embedded");
  });

  it.each(["", "  "])("reads a List, its items indented by %j", async (indent) => {
    const items = [node("a"), namespace("shop"), meshConfig(true)].map(
      (object) => `${indent}- ${object.trimEnd().replaceAll("\n", `\n${indent}  `)}\n`,
    );
    const text = `apiVersion: v1\nitems:\n${items.join("")}kind: List\nmetadata:\n  resourceVersion: ""\n`;
    const mesh = await openMesh(folderOf({ "all.yaml": text }));
    expect(mesh.faults).toEqual([]);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
    expect(mesh.state?.nodes.has("a")).toBe(true);
    expect(mesh.state?.namespaces.has("shop")).toBe(true);
  });

  it("reads a List with anchors that reach from one item into another", async () => {
    const text = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: { name: one, labels: &labels { team: red } }
- apiVersion: v1
  kind: Namespace
  metadata: { name: two, labels: *labels }
`;
    const mesh = await openMesh(folderOf({ "all.yaml": text }));
    expect(mesh.faults).toEqual([]);
    expect(mesh.state?.namespaces.get("two")?.get("team")).toBe("red");
  });

  it("has the switch off, with a note, where there is nothing", async () => {
    const mesh = await openMesh(temporaryFolder());
    expect(mesh.faults).toEqual([]);
    expect(mesh.state?.meshSwitch).toEqual({ enabled: false, note: expect.stringContaining("no ASMMeshConfig") });
  });

  it("passes over other kinds and other ASMMeshConfigs, and says so when debugging", async () => {
    const log = recordedLog();
    const other = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: x }\n";
    const mesh = await openMesh(folderOf({ "mesh.yaml": `${meshConfig(true, "mine")}---\n${other}` }), log);
    expect(mesh.state?.meshSwitch.enabled).toBe(false);
    expect(mesh.faults).toEqual([]);
    expect(log.lines.filter(({ level }) => level === "debug").map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ message: "ASMMeshConfig mine: only the one named default counts" }),
      expect.objectContaining({ message: "Deployment (apps/v1): not a kind that is read here" }),
    ]);
  });

  it("takes the resourceVersion that is written, or else one that differs when the object does", async () => {
    const folder = folderOf({ "mesh.yaml": meshConfig().replace("default", 'default\n  resourceVersion: "77"') });
    const mesh = await openMesh(folder);
    expect(mesh.state?.meshSwitch.resourceVersion).toBe("77");
    const versions = new Set<string | undefined>();
    for (const enabled of [true, false, "no", true]) {
      const before = mesh.state;
      writeFileSync(join(folder, "mesh.yaml"), meshConfig(enabled));
      await until(() => mesh.state !== before);
      versions.add(mesh.state?.meshSwitch.resourceVersion);
    }
    expect(versions.size).toBe(3);
    for (const version of versions) expect(version).toMatch(/^embedded-[0-9a-f]{12}$/);
  });

  it("takes a file's objects away with the file", async () => {
    const folder = folderOf({ "mesh.yaml": meshConfig(), "nodes.yaml": node("a") });
    const mesh = await openMesh(folder);
    rmSync(join(folder, "nodes.yaml"));
    await until(() => mesh.state?.nodes.size === 0);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
    rmSync(join(folder, "mesh.yaml"));
    await until(() => mesh.state?.meshSwitch.enabled === false);
    expect(mesh.faults).toEqual([]);
  });

  it("keeps the same state while nothing that matters changes, and says that it still agrees", async () => {
    const folder = folderOf({ "mesh.yaml": meshConfig(), "nodes.yaml": node("a") });
    const mesh = await openMesh(folder);
    const before = mesh.state;
    utimesSync(join(folder, "mesh.yaml"), new Date(), new Date());
    writeFileSync(join(folder, "nodes.yaml"), `# a comment\n${node("a")}`);
    writeFileSync(join(folder, "unjudged.yaml"), "apiVersion: v1\nkind: Node\nmetadata: { name: new }\n");
    await sleep(150);
    const edited = new Date();
    await until(() => (mesh.readAt ?? new Date(0)) > edited);
    expect(mesh.state).toBe(before);
  });

  it("keeps the state through the renaming of a file, without a fault", async () => {
    const folder = folderOf({ "a.yaml": meshConfig(), "nodes.yaml": node("a") });
    const log = recordedLog();
    const mesh = await openMesh(folder, log);
    const before = mesh.state;
    renameSync(join(folder, "a.yaml"), join(folder, "b.yaml"));
    await sleep(200);
    renameSync(join(folder, "b.yaml"), join(folder, "a.yaml"));
    await sleep(200);
    expect(mesh.state).toBe(before);
    expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("never shows the switch off while an editor saves by moving the old file away", async () => {
    const folder = folderOf({ "mesh.yaml": meshConfig() });
    const mesh = await openMesh(folder);
    const before = mesh.state;
    let fair = 0;
    for (let save = 0; save < 10; save++) {
      let seen = 0;
      const watching = setInterval(() => {
        if (mesh.state !== before) seen++;
      }, 1);
      const start = performance.now();
      renameSync(join(folder, "mesh.yaml"), join(folder, "mesh.yaml~"));
      await sleep(10);
      writeFileSync(join(folder, "mesh.yaml"), "");
      await sleep(10);
      writeFileSync(join(folder, "mesh.yaml"), meshConfig());
      const took = performance.now() - start;
      await sleep(100);
      clearInterval(watching);
      // A busy machine may have stretched the save beyond what any editor takes.
      if (took > 35) continue;
      fair++;
      expect(seen).toBe(0);
    }
    expect(fair).toBeGreaterThan(0);
  });

  it("is heard of when it appears after the start", async () => {
    const folder = join(temporaryFolder(), "mesh");
    const log = recordedLog();
    const mesh = await openMesh(folder, log);
    expect(mesh.state).toBeUndefined();
    expect(mesh.readAt).toBeUndefined();
    expect(mesh.faults).toEqual([{ where: folder, message: expect.stringContaining("create it") }]);
    mkdirSync(folder);
    writeFileSync(join(folder, "mesh.yaml"), meshConfig());
    await until(() => mesh.state?.meshSwitch.enabled === true);
    await until(() => mesh.faults.length === 0);
    expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  it("keeps its last state while the folder is away, and follows the one that takes its place", async () => {
    const folder = join(temporaryFolder(), "mesh");
    mkdirSync(folder);
    writeFileSync(join(folder, "mesh.yaml"), meshConfig());
    const mesh = await openMesh(folder);
    rmSync(folder, { recursive: true });
    await until(() => mesh.faults.length === 1);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
    mkdirSync(folder);
    writeFileSync(join(folder, "mesh.yaml"), meshConfig(false));
    await until(() => mesh.state?.meshSwitch.enabled === false);
    writeFileSync(join(folder, "mesh.yaml"), meshConfig(true));
    await until(() => mesh.state?.meshSwitch.enabled === true);
  });

  it("may be named by a link, also one that moves to another folder", async () => {
    const link = join(temporaryFolder(), "mesh");
    const [on, off] = [folderOf({ "mesh.yaml": meshConfig() }), folderOf({ "mesh.yaml": meshConfig(false) })];
    symlinkSync(on, link);
    const mesh = await openMesh(link);
    symlinkSync(off, `${link}.new`);
    renameSync(`${link}.new`, link);
    await until(() => mesh.state?.meshSwitch.enabled === false);
    writeFileSync(join(off, "mesh.yaml"), meshConfig());
    await until(() => mesh.state?.meshSwitch.enabled === true);
  });

  it("is left alone after close", async () => {
    const folder = folderOf({ "mesh.yaml": meshConfig() });
    const mesh = await openEmbeddedMesh({ folder, log: recordedLog() });
    await mesh.close();
    await mesh.close();
    writeFileSync(join(folder, "mesh.yaml"), meshConfig(false));
    await sleep(200);
    expect(mesh.state?.meshSwitch.enabled).toBe(true);
  });

  it("tells the time by the clock it is given", async () => {
    const time = new Date("2026-01-01T00:00:00Z");
    const mesh = await openEmbeddedMesh({ folder: temporaryFolder(), log: recordedLog(), now: () => time });
    expect(mesh.readAt).toBe(time);
    await mesh.close();
  });
});
