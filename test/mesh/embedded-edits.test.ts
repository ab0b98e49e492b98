import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { folderOf, meshConfig, node, openMesh, temporaryFolder, until } from "./mesh-folder.ts";

const PROMISED_MS = 200;
const EDITS = 20;

/** Points the folder's `..data` at a new version of its files, as the kubelet does. */
function swap(folder: string, files: Readonly<Record<string, string>>): void {
  const version = mkdtempSync(join(folder, "..2026_"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(version, name), text);
  symlinkSync(version, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
}

const ways: readonly [string, () => { folder: string; edit: (text: string) => void }][] = [
  [
    "written in place",
    () => {
      const folder = folderOf({ "mesh.yaml": meshConfig() });
      return { folder, edit: (text) => writeFileSync(join(folder, "mesh.yaml"), text) };
    },
  ],
  [
    "replaced by a rename",
    () => {
      const folder = folderOf({ "mesh.yaml": meshConfig() });
      const edit = (text: string) => {
        writeFileSync(join(folder, ".mesh.yaml.new"), text);
        renameSync(join(folder, ".mesh.yaml.new"), join(folder, "mesh.yaml"));
      };
      return { folder, edit };
    },
  ],
  [
    "swapped as in a ConfigMap's mount",
    () => {
      const folder = temporaryFolder();
      swap(folder, { "mesh.yaml": meshConfig() });
      symlinkSync("..data/mesh.yaml", join(folder, "mesh.yaml"));
      return { folder, edit: (text) => swap(folder, { "mesh.yaml": text }) };
    },
  ],
  [
    "written behind a link, where no event tells of it",
    () => {
      const elsewhere = folderOf({ "mesh.yaml": meshConfig() });
      const folder = temporaryFolder();
      symlinkSync(join(elsewhere, "mesh.yaml"), join(folder, "mesh.yaml"));
      return { folder, edit: (text) => writeFileSync(join(elsewhere, "mesh.yaml"), text) };
    },
  ],
  [
    "removed and written again",
    () => {
      const folder = folderOf({ "mesh.yaml": meshConfig() });
      const edit = (text: string) => {
        rmSync(join(folder, "mesh.yaml"));
        writeFileSync(join(folder, "mesh.yaml"), text);
      };
      return { folder, edit };
    },
  ],
];

describe("an edit shows within 200 ms", () => {
  it.each(ways)("when the file is %s", async (_, make) => {
    const { folder, edit } = make();
    const mesh = await openMesh(folder);
    const taken: number[] = [];
    for (let turn = 0; turn < EDITS; turn++) {
      const enabled = turn % 2 === 1;
      edit(meshConfig(enabled));
      taken.push(await until(() => mesh.state?.meshSwitch.enabled === enabled));
      // At a different point of the polling's period each time.
      await sleep((turn * 7) % 20);
    }
    expect(median(taken)).toBeLessThan(PROMISED_MS);
    expect(mesh.faults).toEqual([]);
  });

  it("when edits of the same length follow each other at once", async () => {
    const folder = folderOf({ "nodes.yaml": node("a") });
    const mesh = await openMesh(folder);
    const taken: number[] = [];
    for (let turn = 0; turn < EDITS; turn++) {
      for (const name of ["b", "c", "d", "e"]) {
        writeFileSync(join(folder, "nodes.yaml"), node(name));
        await sleep(turn % 4);
      }
      taken.push(await until(() => mesh.state?.nodes.has("e") === true));
      expect(mesh.state?.nodes.size).toBe(1);
    }
    expect(median(taken)).toBeLessThan(PROMISED_MS);
  });
});

describe("a file of 5,000 nodes", () => {
  const nodes = (edited: string) =>
    Array.from({ length: 5000 }, (_, index) => {
      const zones = Array.from(
        { length: 8 },
        (_, label) => `    example.com/label-${label}: value-${index}-${label}\n`,
      );
      return node(`node-${index}`, index === 4321 ? edited : "true", zones.join(""));
    });
  const asDocuments = (edited: string) => nodes(edited).join("---\n");
  const asList = (edited: string) => {
    const items = nodes(edited).map((one) => `- ${one.trimEnd().replaceAll("\n", "\n  ")}\n`);
    return `apiVersion: v1\nitems:\n${items.join("")}kind: List\n`;
  };

  it.each([
    ["documents", asDocuments],
    ["a List", asList],
  ])(
    "as %s is read whole, without holding up the service, and an edit of it shows",
    async (_, write) => {
      const folder = folderOf({ "nodes.yaml": write("true") });
      let ticks = 0;
      const ticking = setInterval(() => {
        ticks += 1;
      }, 1);
      onTestFinished(() => clearInterval(ticking));
      const mesh = await openMesh(folder);
      expect(mesh.state?.eligible.size).toBe(5000);
      // Read in one go, there would be none.
      expect(ticks).toBeGreaterThan(10);

      writeFileSync(join(folder, "nodes.yaml"), write("false"));
      await until(() => mesh.state?.eligible.size === 4999, 30_000);
    },
    60_000,
  );
});

/** A busy machine may hold up a single edit; most of them it must not. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
