import Value from "typebox/value";
import { describe, expect, it } from "vitest";
import { type Group, type Leaf, SETTINGS } from "../../webhook/settings/fields.ts";
import { settingsTable } from "../../webhook/settings/table.ts";

const leaves = (group: Group): readonly Leaf[] =>
  [...group.fields.values()].flatMap((field) => (field.kind === "group" ? leaves(field) : [field]));

const groups = (group: Group): readonly Group[] =>
  [...group.fields.values()].flatMap((field) => (field.kind === "group" ? [field, ...groups(field)] : []));

describe("every setting", () => {
  it.each(
    leaves(SETTINGS).map((leaf) => [leaf.path, leaf] as const),
  )("%s says what it is for and accepts", (_, leaf) => {
    expect(leaf.description).toMatch(/\.$/);
    expect(leaf.accepts).not.toBe("");
    expect(Value.Check(leaf.schema, leaf.default)).toBe(true);
  });

  it.each(groups(SETTINGS).map((group) => [group.path, group] as const))("group %s says what it is for", (_, group) => {
    expect(group.description).toMatch(/\.$/);
  });
});

describe("the table", () => {
  const rows = settingsTable().trimEnd().split("\n");

  it("has one row for each setting and each group, of four cells", () => {
    expect(rows).toHaveLength(2 + leaves(SETTINGS).length + groups(SETTINGS).length);
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(6);
    for (const { path } of leaves(SETTINGS)) {
      expect(rows.filter((row) => row.startsWith(`| \`${path}\` |`))).toHaveLength(1);
    }
  });

  it("shows the default, what is accepted and what it is for", () => {
    expect(rows).toContain(
      "| `placement.weight` | `100` | a whole number from 1 to 100 | The weight of the preference. |",
    );
  });
});
