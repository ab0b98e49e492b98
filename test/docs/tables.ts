import { type Entry, NOTICES, REASONS, UNDECIDED } from "../../webhook/admission/reasons.ts";
import { settingsTable } from "../../webhook/settings/table.ts";

/** The tables of the README that are made from the code, by the name in their markers. */
export const TABLES: Readonly<Record<string, () => string>> = {
  reasons: () => entries("Reason", REASONS),
  undecided: () => entries("Code", UNDECIDED),
  notices: () => entries("Notice", NOTICES),
  settings: settingsTable,
};

/** The text with every table between its markers made anew; a marker without a table is an error. */
export function withTables(text: string): string {
  return text.replace(
    /(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- end of table -->)/g,
    (_all, begin: string, name: string, end: string) => {
      const table = TABLES[name];
      if (!table) throw new Error(`README.md has a marker for a table named ${name}, which nobody makes`);
      return `${begin}${table()}${end}`;
    },
  );
}

function entries(title: string, catalogue: Readonly<Record<string, Entry>>): string {
  const rows = Object.entries(catalogue).map(
    ([code, { sentence, remedy }]) => `| \`${code}\` | ${cell(sentence)} | ${cell(remedy)} |`,
  );
  return [`| ${title} | What it says | What to do |`, "| --- | --- | --- |", ...rows, ""].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/\{(\w+)\}/g, "*$1*");
}
