import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../webhook/log.ts";
import type { Authority } from "./authority.ts";
import { bundleOf, certificatesIn } from "./bundle.ts";
import type { IssuedPair } from "./issue.ts";
import { issueTime } from "./lifetime.ts";
import { parseCertificate } from "./pair.ts";
import type { Material } from "./plan.ts";
import { failure, writeAtomically } from "./write.ts";

const MODES = { "ca.crt": 0o644, "ca.key": 0o600, "tls.crt": 0o644, "tls.key": 0o600 } as const;
type FileName = keyof typeof MODES;

export interface FolderMaterial extends Material {
  /** Whether `ca.crt` holds the bundle and nothing else. */
  readonly clean: boolean;
}

/**
 * Reads the folder's certificates. When each was published is taken from the certificate itself: a file's own time
 * does not survive a copy.
 *
 * @throws Error with the path and a remedy if a file is there and cannot be read.
 */
export async function readMaterial(folder: string, now: Date): Promise<FolderMaterial> {
  const bundle = (await readKept(folder, "ca.crt")) ?? "";
  const key = await readKept(folder, "ca.key");
  const [cert, leafKey] = [await readKept(folder, "tls.crt"), await readKept(folder, "tls.key")];
  const blocks = certificatesIn(bundle);
  const authorities = blocks.map((block, index) => (index === 0 ? { cert: block, key } : { cert: block }));
  const publishedAt = blocks[0] === undefined ? now : issueTimeOf(blocks[0], now);
  const leaf =
    cert === undefined || leafKey === undefined ? undefined : { cert, key: leafKey, changedAt: issueTimeOf(cert, now) };
  return { authorities, publishedAt, leaf, clean: bundle.trim() === blocks.join("\n") };
}

const issueTimeOf = (pem: string, otherwise: Date) => {
  const certificate = parseCertificate(pem);
  return certificate ? issueTime(certificate) : otherwise;
};

/** Publishes a CA in front of the others. Its key goes first: a published CA without a key could never sign. */
export async function writeNewCa(folder: string, ca: IssuedPair, others: readonly Authority[]): Promise<void> {
  await writeKept(folder, "ca.key", ca.key);
  await writeBundle(folder, [ca, ...others]);
}

export async function writeBundle(folder: string, authorities: readonly Authority[]): Promise<void> {
  await writeKept(folder, "ca.crt", bundleOf(authorities.map(({ cert }) => cert)));
}

/** Between the two writes the pair does not match; a reader keeps its last one, and the next run mends it. */
export async function writeLeaf(folder: string, leaf: IssuedPair): Promise<void> {
  await writeKept(folder, "tls.key", leaf.key);
  await writeKept(folder, "tls.crt", leaf.cert);
}

/** Warns of a key that others may read. It is left so: some volumes cannot do otherwise. */
export async function warnOfOpenKeys(folder: string, log: Log): Promise<void> {
  for (const name of ["ca.key", "tls.key"] as const) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && (found.mode & 0o077) !== 0) {
      log.warn({ path, mode: (found.mode & 0o777).toString(8) }, `others may read ${path}: chmod 600 ${path}`);
    }
  }
}

async function readKept(folder: string, name: FileName): Promise<string | undefined> {
  const path = join(folder, name);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw failure(`cannot read ${path}`, error, "make it a file that this process may read, or remove it");
  }
}

const writeKept = (folder: string, name: FileName, text: string) =>
  writeAtomically(join(folder, name), text, MODES[name]);
