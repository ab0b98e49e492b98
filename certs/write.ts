import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const TEMPORARY = /^\.(ca|tls)\.(crt|key)\.[0-9a-f]{12}\.tmp$/;
/** No write takes so long; a temporary file of that age is what a crash left. In milliseconds. */
const ABANDONED_MS = 60_000;

/**
 * Writes a file in one step: whoever reads it sees the old text or the new, whenever the power fails.
 *
 * @throws Error with the path and a remedy if it cannot be written.
 */
export async function writeAtomically(path: string, text: string, mode: number): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw failure(`cannot write ${path}`, error, writable);
  }
}

/**
 * Makes the folder, for this user alone, if it is absent.
 *
 * @throws Error with the path and a remedy if it cannot be made, or if the path is a file's.
 */
export async function makeFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (found) throw new Error(`${folder} is not a folder: name another, or move that file away`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw failure(`cannot make the folder ${folder}`, error, writable);
  }
}

/** Removes what a crash in the middle of a write left behind: it may hold a key. */
export async function removeAbandoned(folder: string, now: Date): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const path of names.filter((name) => TEMPORARY.test(name)).map((name) => join(folder, name))) {
    const found = await stat(path).catch(() => undefined);
    if (found && now.getTime() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true }).catch(() => undefined);
  }
}

/** An Error that says what failed, why by the system's code, and what to do. */
export function failure(what: string, error: unknown, remedy: string): Error {
  const code = error instanceof Error && "code" in error ? `${error.code}` : `${error}`;
  return new Error(`${what} (${code}): ${remedy}`, { cause: error });
}

const writable = `let uid ${process.getuid?.() ?? "of this process"} write there, or name another folder`;

/** Without this, a rename may be undone by a power failure. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
