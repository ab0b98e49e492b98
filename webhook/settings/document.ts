import { type Document, isMap, isNode, isSeq, LineCounter, parseAllDocuments, visit } from "yaml";
import { offsetOf } from "../yaml-offset.ts";

/** A fault of the file's form: no setting is involved yet. */
export interface FormFault {
  readonly line: number;
  readonly message: string;
}

/** The settings file as YAML that is sure to be one mapping or nothing, with the line of every setting. */
export interface SettingsDocument {
  readonly root: unknown;
  /** The line where a setting is written; of the nearest written group around it where it is not. */
  lineOf(path: readonly (string | number)[]): number;
}

/** Characters; a ConfigMap can hold no more. */
const MAX_LENGTH = 1024 * 1024;

export function readDocument(text: string): SettingsDocument | { readonly faults: readonly FormFault[] } {
  if (text.length > MAX_LENGTH) return { faults: [{ line: 1, message: "the file is longer than 1 MiB" }] };
  const lines = new LineCounter();
  try {
    return read(text, lines);
  } catch (error) {
    // The parser recurses: a text that nests thousands deep ends here.
    return { faults: [{ line: 1, message: `the file cannot be read as YAML: ${error}` }] };
  }
}

function read(text: string, lines: LineCounter): SettingsDocument | { readonly faults: readonly FormFault[] } {
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const documents = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" })];
  const faults: FormFault[] = documents
    .flatMap((document) => [...document.errors, ...document.warnings])
    .map(({ code, message, pos }) => {
      const twice = code === "DUPLICATE_KEY" ? text.slice(pos[0]).match(/^[^\s:]+/)?.[0] : undefined;
      return {
        line: lineAt(pos[0]),
        message: twice ? `the key ${twice} is written twice in one group` : `not valid YAML: ${message}`,
      };
    });
  if (faults.length > 0) return { faults: eachOnce(faults) };

  const written = documents.filter(({ contents }) => isNode(contents) && !isEmpty(contents));
  const [first, second] = written;
  if (second) {
    const line = lineAt(second.contents?.range?.[0] ?? 0);
    return { faults: [{ line, message: "a second YAML document starts here; accepted: one document" }] };
  }
  if (!first) return { root: null, lineOf: () => 1 };
  const line = lineAt(first.contents?.range?.[0] ?? 0);
  if (!isMap(first.contents)) {
    const found = isSeq(first.contents) ? "a list" : "a single value";
    return { faults: [{ line, message: `the file holds ${found}; accepted: a mapping of settings` }] };
  }
  const aliasAt = firstAlias(first);
  if (aliasAt !== undefined) {
    return { faults: [{ line: lineAt(aliasAt), message: "a YAML alias; accepted: the value itself, written out" }] };
  }
  return { root: first.contents, lineOf: (path) => lineAt(offsetOf(first.contents, path)) };
}

const eachOnce = (faults: readonly FormFault[]): readonly FormFault[] => [
  ...new Map(faults.map((fault) => [`${fault.line}:${fault.message}`, fault])).values(),
];

const isEmpty = (contents: unknown): boolean =>
  isNode(contents) && "value" in contents && contents.value === null && !("items" in contents);

/** Aliases are refused: no settings file needs them, and a few lines of them unfold to gigabytes. */
function firstAlias(document: Document.Parsed): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias(_, alias) {
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}
