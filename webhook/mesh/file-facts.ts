import { hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { type Finding, type Interpretation, interpret } from "./interpret.ts";
import { parseLongJson, parseText, type TextFault } from "./parse.ts";
import { type Piece, splitDocuments, splitList } from "./pieces.ts";

/** What a file says, if nothing in it is wrong. */
export interface Facts {
  readonly findings: readonly Finding[];
  readonly ignored: readonly string[];
}

export type FileReading = { readonly facts: Facts } | { readonly faults: readonly TextFault[] };

/** Faults that are reported of one file; more would only hide the first. */
const MAX_FAULTS = 10;

/** Milliseconds after which admissions get their turn while a long file is read. */
const SLICE_MS = 5;

/**
 * Reads texts that are versions of one file. What has not changed since the last version is not parsed again, and a
 * long text is read in slices, so that an edit of one node among thousands costs what one node costs.
 */
export function createFileReader(): (text: string) => Promise<FileReading> {
  let remembered = new Map<string, Interpretation>();

  return async (text) => {
    const used = new Map<string, Interpretation>();
    let sliceStart = performance.now();

    const readPiece = async (piece: Piece): Promise<Interpretation> => {
      const key = hash("sha256", piece.text, "base64");
      const known = used.get(key) ?? remembered.get(key);
      const read = known ?? readText(piece.text);
      used.set(key, read);
      if (performance.now() - sliceStart > SLICE_MS) {
        await setImmediate();
        sliceStart = performance.now();
      }
      return moved(read, piece.line - 1);
    };

    const read: Interpretation[] = [];
    for (const document of splitDocuments(text)) {
      for (const piece of splitList(document) ?? [document]) read.push(await readPiece(piece));
    }
    remembered = used;

    const findings = read.flatMap((one) => one.findings);
    const faults = [...read.flatMap((one) => one.faults), ...duplicates(findings)].sort(byLine);
    if (faults.length > 0) return { faults: faults.slice(0, MAX_FAULTS) };
    return { facts: { findings, ignored: [...new Set(read.flatMap((one) => one.ignored))] } };
  };
}

function readText(text: string): Interpretation {
  try {
    const json = parseLongJson(text);
    const fast = json && interpret([json]);
    if (fast && fast.faults.length === 0) return fast;
    const { values, faults } = parseText(text);
    const read = interpret(values);
    return { ...read, faults: [...faults, ...read.faults] };
  } catch (error) {
    // A depth of thousands, and a List that an alias makes its own item, end here.
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    const message = `not readable: ${reason}`;
    return { findings: [], faults: [{ line: 1, message }], ignored: [] };
  }
}

function moved(read: Interpretation, lines: number): Interpretation {
  if (lines === 0) return read;
  const shift = <T extends { readonly line: number | undefined }>(one: T): T => ({
    ...one,
    line: one.line === undefined ? undefined : one.line + lines,
  });
  return { ...read, findings: read.findings.map(shift), faults: read.faults.map(shift) };
}

const byLine = (one: TextFault, other: TextFault): number => (one.line ?? 0) - (other.line ?? 0);

function duplicates(findings: readonly Finding[]): readonly TextFault[] {
  const first = new Map<string, Finding>();
  return findings.flatMap((finding) => {
    const other = first.get(finding.key);
    if (!other) first.set(finding.key, finding);
    const place = other?.line === undefined ? "" : `; the first is on line ${other.line}`;
    return other ? [{ line: finding.line, message: `${finding.key} is written twice${place}` }] : [];
  });
}
