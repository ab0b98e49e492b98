import { chown, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const DATA = "..data";

/** The files of a volume: contents by path. */
export type Files = Readonly<Record<string, Buffer>>;

/**
 * Writes a volume as a kubelet does: a folder for every version of all its files, `..data` leading to the one in force,
 * and a link for every file. A change is one rename, so a reader never sees half of it.
 */
export async function writeFiles(folder: string, files: Files, group: number): Promise<void> {
  const version = `..${new Date().toISOString().replaceAll(/[^0-9]/g, "_")}`;
  await mkdir(join(folder, version), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, version, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o644 });
    await chown(file, 0, group);
  }
  const before = await readlink(join(folder, DATA)).catch(() => undefined);
  await symlink(version, join(folder, `${DATA}_tmp`));
  await rename(join(folder, `${DATA}_tmp`), join(folder, DATA));
  const names = new Set(Object.keys(files).map((path) => path.split("/")[0] ?? path));
  const present = new Set((await readdir(folder)).filter((name) => !name.startsWith("..")));
  for (const name of names) if (!present.has(name)) await symlink(join(DATA, name), join(folder, name));
  for (const name of present) if (!names.has(name)) await rm(join(folder, name));
  if (before !== undefined) await rm(join(folder, before), { recursive: true });
}
