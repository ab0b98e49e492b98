import { parentPort, workerData } from "node:worker_threads";
import { isScalar, LineCounter, parseAllDocuments, visit } from "yaml";

/**
 * Parses YAML in a thread of its own: a text that is made for it can take the parser minutes and gigabytes, and
 * admissions must not wait for that. Answers with the documents, or with what is wrong and where.
 */
export type YamlAnswer = { readonly documents: readonly unknown[] } | { readonly fault: string };

function parse(text: string): YamlAnswer {
  const lines = new LineCounter();
  const at = (offset: number) => `line ${lines.linePos(offset).line}: `;
  // The parser compares every key with every other one; that is done below, with a set.
  const options = { lineCounter: lines, merge: true, uniqueKeys: false, logLevel: "silent" } as const;
  const parsed = parseAllDocuments(text, options);
  if (!Array.isArray(parsed)) return { documents: [] };
  for (const document of parsed) {
    const [error] = document.errors;
    if (error) return { fault: at(error.pos[0]) + firstLine(error) };
    let fault: string | undefined;
    visit(document, {
      Map(_key, node) {
        const seen = new Set<unknown>();
        for (const { key } of node.items) {
          if (!isScalar(key)) continue;
          if (seen.has(key.value)) {
            fault = `${at(key.range?.[0] ?? 0)}the key ${JSON.stringify(key.value)} stands twice`;
            return visit.BREAK;
          }
          seen.add(key.value);
        }
        return undefined;
      },
    });
    if (fault !== undefined) return { fault };
  }
  return { documents: parsed.map((document) => document.toJS({ maxAliasCount: 100 })).filter((one) => one !== null) };
}

/** Of the parser's message; the line's number stands before it already. */
function firstLine(error: Error): string {
  const [line = ""] = error.message.split("\n", 1);
  return line.replace(/ at line \d+, column \d+:?$/, "");
}

function answer(text: string): YamlAnswer {
  try {
    return parse(text);
  } catch (error) {
    // Too many aliases, or nested deeper than the parser can follow.
    return { fault: error instanceof Error ? firstLine(error) : `${error}` };
  }
}

parentPort?.postMessage(answer(workerData));
