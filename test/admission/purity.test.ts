import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const FOLDER = fileURLToPath(new URL("../../webhook/admission/", import.meta.url));
const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).map((name) => ({
  name,
  text: readFileSync(`${FOLDER}${name}`, "utf8"),
}));

/** Modules of Node that read nothing and change nothing. */
const PURE = new Set(["node:util"]);

/** Every import and re-export of a value; those of types vanish before the program runs. */
function imports(text: string): readonly string[] {
  const statements = text.matchAll(/^\s*(?:import|export)\b([^;]*?\bfrom\s*|\s*)["']([^"']+)["']/gm);
  return [...statements].flatMap(([, what = "", from = ""]) => (/^\s*type\b/.test(what) ? [] : [from]));
}

/** Without comments and texts, which may speak of anything. */
function code(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "")
    .replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}

/** What would let the world in, or out. */
const WORLDLY = [
  /\bprocess\b/,
  /\bDate\b/,
  /\bperformance\b/,
  /\bMath\.random\b/,
  /\bcrypto\b/,
  /\bfetch\b/,
  /\bconsole\b/,
  /\bglobalThis\b/,
  /\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b/,
  /\bimport\(/,
  /\basync\b|\bawait\b/,
];

describe("the pure core", () => {
  it("is made of TypeScript files, and of not a few", () => {
    expect(files.map(({ name }) => name).filter((name) => !name.endsWith(".ts"))).toEqual([]);
    expect(files.length).toBeGreaterThan(10);
  });

  it.each(files)("imports nothing but types, its own files and pure modules of Node: $name", ({ text }) => {
    const foreign = imports(text).filter((from) => !/^\.\/[a-z-]+\.ts$/.test(from) && !PURE.has(from));
    expect(foreign).toEqual([]);
  });

  it.each(files)("knows no clock, no chance, no network and no process: $name", ({ text }) => {
    expect(WORLDLY.filter((word) => word.test(code(text)))).toEqual([]);
  });
});

describe("this test", () => {
  it("finds imports of all kinds", () => {
    const text = [
      'import type { A } from "types";',
      'import { type B, c } from "mixed";',
      'import "effect";',
      'import * as d from "all";',
      "import {",
      "  e,",
      '} from "lines";',
      'export { f } from "again";',
      'export type { G } from "types";',
      'export const h = "text";',
    ].join("\n");
    expect(imports(text)).toEqual(["mixed", "effect", "all", "lines", "again"]);
  });

  it("does not take words in comments for code", () => {
    expect(code('const a = "fetch"; // process\n/* Date */')).not.toMatch(/fetch|process|Date/);
  });
});
