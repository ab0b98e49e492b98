import { Worker } from "node:worker_threads";
import { RequestError } from "../errors.ts";
import { deeperThan, forbiddenKey, parseJson } from "../review/json.ts";
import type { YamlAnswer } from "./yaml-worker.ts";

/** A cluster's object has at most 1.5 MiB as JSON; few have 100 KiB. */
const MAX_YAML = 1024 * 1024;
/** Objects, documents and items of lists together: judging more would keep admissions waiting. */
const MAX_OBJECTS = 500;
/** What is deeper cannot be written as JSON again without running out of stack. */
const MAX_DEPTH = 500;
/** Milliseconds, and MiB, that the parser may take for a text. */
const MAX_PARSING = { ms: 5000, heapMb: 128 };
/** Texts that are parsed at once; whoever comes then is asked to come again. */
const MAX_PARSERS = 2;

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
export async function parseDocuments(body: Buffer, mediaType: string): Promise<readonly unknown[]> {
  const documents = mediaType.startsWith("application/json") ? [parseJson(body)] : await parseYaml(body);
  checkCount(documents.length);
  if (deeperThan(MAX_DEPTH, documents)) {
    throw new RequestError("InvalidObject", `the object is nested deeper than ${MAX_DEPTH} levels`);
  }
  const forbidden = forbiddenKey(documents);
  if (forbidden !== undefined) throw new RequestError("InvalidObject", `${forbidden} is a key that no object may have`);
  return documents;
}

/** Refuses more objects than can be judged in passing. */
export function checkCount(objects: number): void {
  if (objects <= MAX_OBJECTS) return;
  throw new RequestError("BodyTooLarge", `${objects} objects are too many at once; send at most ${MAX_OBJECTS}`);
}

let parsers = 0;

async function parseYaml(body: Buffer): Promise<readonly unknown[]> {
  if (body.length > MAX_YAML) {
    throw new RequestError("BodyTooLarge", `YAML is taken up to ${MAX_YAML / 1024} KiB; JSON may be larger`);
  }
  if (parsers >= MAX_PARSERS) throw new RequestError("Busy", `${MAX_PARSERS} other texts are being parsed`);
  parsers += 1;
  try {
    const answer = await parseApart(body.toString("utf8"));
    if ("fault" in answer) throw new RequestError("InvalidYaml", answer.fault);
    return answer.documents;
  } finally {
    parsers -= 1;
  }
}

/** In a thread that is ended when it takes too long or too much. */
async function parseApart(text: string): Promise<YamlAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<YamlAnswer>();
  const worker = new Worker(new URL("yaml-worker.ts", import.meta.url), {
    workerData: text,
    resourceLimits: { maxOldGenerationSizeMb: MAX_PARSING.heapMb, maxYoungGenerationSizeMb: 32 },
  });
  const tooMuch = () =>
    reject(new RequestError("BodyTooLarge", "the YAML takes too long to parse; send JSON, or less"));
  const deadline = setTimeout(tooMuch, MAX_PARSING.ms);
  worker.once("message", resolve);
  worker.once("error", tooMuch);
  try {
    return await promise;
  } finally {
    clearTimeout(deadline);
    await worker.terminate();
  }
}
