import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TABLES, withTables } from "./tables.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

describe("the README", () => {
  it("has every table as the code has it; if not, make docs writes it", () => {
    expect(readme).toBe(withTables(readme));
  });

  it.each(Object.keys(TABLES))("has the table of %s once", (name) => {
    expect(readme.split(`<!-- table: ${name} -->`)).toHaveLength(2);
  });

  it("names only make targets that there are", () => {
    const makefile = readFileSync(new URL("../../Makefile", import.meta.url), "utf8");
    for (const [, target] of readme.matchAll(/`make ([a-z-]+)`/g))
      expect(makefile).toMatch(new RegExp(`^${target}:`, "m"));
  });
});
