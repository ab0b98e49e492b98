import { type Group, type Leaf, SETTINGS } from "./fields.ts";

const HEAD = ["| setting | default | accepted | what it is for |", "| --- | --- | --- | --- |"];

/** Every setting as a Markdown table, in the schema's order: a row in bold for each group, a row for each setting. */
export function settingsTable(): string {
  return `${[...HEAD, ...rows(SETTINGS)].join("\n")}\n`;
}

function rows(group: Group): readonly string[] {
  const fields = [...group.fields.values()].flatMap((field) =>
    field.kind === "group" ? rows(field) : [leafRow(field)],
  );
  return group.path === "" ? fields : [row(`**\`${group.path}\`**`, "", "", group.description), ...fields];
}

const leafRow = (leaf: Leaf): string =>
  row(`\`${leaf.path}\``, defaultText(leaf.default), leaf.accepts, leaf.description);

function defaultText(value: unknown): string {
  if (Array.isArray(value) && value.length > 0) return value.map(defaultText).join(", ");
  return typeof value === "string" && value !== "" ? `\`${value}\`` : `\`${JSON.stringify(value)}\``;
}

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
