import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type PairReading, readPair } from "./pair.ts";

export type PairFilesReading =
  | Extract<PairReading, { readonly ok: true }>
  | { readonly ok: false; readonly detail: string };

/** Reads `tls.crt` and `tls.key`, and says whether they can be served now. Never throws. */
export async function readPairFiles(folder: string, now: Date): Promise<PairFilesReading> {
  const texts: string[] = [];
  for (const name of ["tls.crt", "tls.key"]) {
    const path = join(folder, name);
    try {
      texts.push(await readFile(path, "utf8"));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? `${error.code}` : `${error}`;
      return { ok: false, detail: `${path} cannot be read (${code}): put a certificate's PEM there` };
    }
  }
  const [cert = "", key = ""] = texts;
  const reading = readPair(cert, key, now);
  return reading.ok ? reading : { ok: false, detail: `${folder}: ${reading.detail}` };
}
