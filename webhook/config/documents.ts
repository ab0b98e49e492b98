import { LineCounter, parseAllDocuments } from "yaml";
import { RequestError } from "../errors.ts";
import { deeperThan, forbiddenKey, parseJson } from "../review/json.ts";

/** Parsing YAML takes time that admissions would wait for; a cluster's object has at most 1.5 MiB, few have 100 KiB. */
const MAX_YAML = 1024 * 1024;
/** What is deeper cannot be written as JSON again without running out of stack. */
const MAX_DEPTH = 500;

export const YAML_TYPES = [
  "application/yaml",
  "application/x-yaml",
  "text/yaml",
  "text/x-yaml",
  "text/plain",
  // What curl --data-binary sends where nobody says otherwise.
  "application/x-www-form-urlencoded",
];

/** The objects in a body of JSON or YAML, which may hold several documents; empty documents are left out. */
export function parseDocuments(body: Buffer, mediaType: string): readonly unknown[] {
  const documents = mediaType.startsWith("application/json") ? [parseJson(body)] : parseYaml(body);
  if (deeperThan(MAX_DEPTH, documents)) {
    throw new RequestError("InvalidObject", `the object is nested deeper than ${MAX_DEPTH} levels`);
  }
  const forbidden = forbiddenKey(documents);
  if (forbidden !== undefined) throw new RequestError("InvalidObject", `${forbidden} is a key that no object may have`);
  return documents;
}

function parseYaml(body: Buffer): readonly unknown[] {
  if (body.length > MAX_YAML) {
    throw new RequestError("BodyTooLarge", `YAML is taken up to ${MAX_YAML / 1024} KiB; JSON may be larger`);
  }
  const lines = new LineCounter();
  try {
    const parsed = parseAllDocuments(body.toString("utf8"), { lineCounter: lines, merge: true, logLevel: "silent" });
    if (!Array.isArray(parsed)) return [];
    for (const { errors } of parsed) {
      const [error] = errors;
      if (error) throw new RequestError("InvalidYaml", `line ${lines.linePos(error.pos[0]).line}: ${firstLine(error)}`);
    }
    return parsed.map((document) => document.toJS({ maxAliasCount: 100 })).filter((value) => value !== null);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    // Too many aliases, or nested deeper than the parser can follow.
    throw new RequestError("InvalidYaml", error instanceof Error ? firstLine(error) : `${error}`);
  }
}

/** Of the parser's message; the line's number stands before it already. */
function firstLine(error: Error): string {
  const [line = ""] = error.message.split("\n", 1);
  return line.replace(/ at line \d+, column \d+:?$/, "");
}
