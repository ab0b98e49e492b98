import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { offsetOf } from "../yaml-offset.ts";

/** A value as it is written in a text. */
export interface Written {
  readonly value: unknown;
  /** The line of a field, counted from 1; undefined where it is not known. */
  lineOf(path: readonly (string | number)[]): number | undefined;
}

export interface TextFault {
  readonly line: number | undefined;
  readonly message: string;
}

/** Characters from which JSON is read without lines: a hundred times faster. */
const LONG_JSON = 64 * 1024;

/** The values of a text's YAML documents, without the empty ones, and the first fault of each that is broken. */
export function parseText(text: string): {
  readonly values: readonly Written[];
  readonly faults: readonly TextFault[];
} {
  const lines = new LineCounter();
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const values: Written[] = [];
  const faults: TextFault[] = [];
  // `<<` is not in YAML 1.2, but kubectl takes it.
  const options = { lineCounter: lines, prettyErrors: false, merge: true, logLevel: "error" } as const;
  for (const document of parseAllDocuments(text, options)) {
    const [error] = document.errors;
    if (error) {
      faults.push({ line: lineAt(error.pos[0]), message: `not valid YAML: ${error.message}` });
      continue;
    }
    const value = unfolded(document);
    if (value instanceof Error)
      faults.push({ line: lineAt(document.range[0]), message: `not valid YAML: ${value.message}` });
    else if (value !== null && value !== undefined) {
      values.push({ value, lineOf: (path) => lineAt(offsetOf(document.contents, path)) });
    }
  }
  return { values, faults };
}

/** A document's value; an error where its aliases lead nowhere, or unfold to more than any file means. */
function unfolded(document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A long JSON text's value; undefined where the text is short or not valid, and is better read as YAML. */
export function parseLongJson(text: string): Written | undefined {
  if (text.length < LONG_JSON || !text.trimStart().startsWith("{")) return undefined;
  try {
    return { value: JSON.parse(text), lineOf: () => undefined };
  } catch {
    return undefined;
  }
}
