import { hash } from "node:crypto";
import { lstat, readFile, stat } from "node:fs/promises";
import { createFileReader, type Facts } from "./file-facts.ts";
import type { TextFault } from "./parse.ts";

/** A file of the mesh's folder, as last looked at. */
export interface FollowedFile {
  readonly path: string;
  /** The last facts without a fault; undefined while there were none. */
  readonly facts: Facts | undefined;
  /** Why `facts` is not what the file holds now. */
  readonly faults: readonly TextFault[];
  readonly gone: boolean;
  /** Whether the last look found something bad that is not believed yet. */
  readonly doubtful: boolean;
  /** Whether a look is due that does not wait for a change. */
  readonly unsettled: boolean;
  /**
   * Looks whether the file has changed, and reads it if so; resolves to whether it was read. What looks bad (a fault,
   * an object less, no file) is believed when it stays: a file may be half-written, or away for the moment of a
   * rename. `atOnce` believes it the first time.
   */
  look(atOnce: boolean): Promise<boolean>;
}

/** Milliseconds for which a text must stay the same: then no writer is at work on it. */
export const STEADY_MS = 40;

/** Milliseconds after which something bad is believed though it is still changing. */
const PATIENCE_MS = 120;

type Outcome = { readonly facts: Facts } | { readonly faults: readonly TextFault[] } | { readonly gone: true };

/** What a path held at one moment: its text, or why there is none. */
type Content = { readonly text: string } | { readonly problem: string } | { readonly gone: true };

export function followFile(path: string): FollowedFile {
  const read = createFileReader();
  let stamp: string | undefined;
  let digest: string | undefined;
  let unsettled = false;
  let doubted: Outcome | undefined;
  let doubtedSince = 0;
  let readAt = 0;
  let facts: Facts | undefined;
  let faults: readonly TextFault[] = [];
  let gone = false;

  const believe = (outcome: Outcome) => {
    doubted = undefined;
    gone = "gone" in outcome;
    faults = "faults" in outcome ? outcome.faults : [];
    if ("facts" in outcome) facts = outcome.facts;
  };
  const looksBad = (outcome: Outcome) => {
    if (!("facts" in outcome)) return true;
    const keys = new Set(outcome.facts.findings.map(({ key }) => key));
    return facts?.findings.some(({ key }) => !keys.has(key)) ?? false;
  };

  return {
    path,
    get facts() {
      return facts;
    },
    get faults() {
      return faults;
    },
    get gone() {
      return gone;
    },
    get doubtful() {
      return doubted !== undefined;
    },
    get unsettled() {
      return unsettled;
    },
    async look(atOnce) {
      const found = await stampOf(path);
      if (found === stamp && !unsettled) return false;
      const content = await contentOf(path);
      stamp = found;
      const newDigest = hash("sha256", JSON.stringify(content), "base64");
      const now = performance.now();
      if (newDigest === digest) {
        if (now - readAt < STEADY_MS) return true;
        // A write within the same tick of the file system's clock as the first reading would have shown by now.
        unsettled = false;
        if (doubted) believe(doubted);
        return true;
      }
      digest = newDigest;
      readAt = now;
      unsettled = true;
      const outcome = await outcomeOf(content, read);
      if (!doubted) doubtedSince = now;
      if (atOnce || !looksBad(outcome) || now - doubtedSince > PATIENCE_MS) believe(outcome);
      else doubted = outcome;
      return true;
    },
  };
}

async function outcomeOf(content: Content, read: ReturnType<typeof createFileReader>): Promise<Outcome> {
  if ("gone" in content) return content;
  if ("problem" in content) return { faults: [{ line: undefined, message: content.problem }] };
  return read(content.text);
}

/** Differs when the file does; links are followed. */
async function stampOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
}

async function contentOf(path: string): Promise<Content> {
  try {
    // A folder may be named like a file, and a pipe would keep the reader waiting.
    if (!(await stat(path)).isFile()) return { text: "" };
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path)) };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return (await isLink(path)) ? { problem: "a link that leads nowhere" } : { gone: true };
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return { problem: "the file is not UTF-8 text" };
    return { problem: `the file cannot be read: ${error instanceof Error ? error.message : error}` };
  }
}

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
