import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type FollowedFile, followFile } from "./file.ts";
import type { Facts } from "./file-facts.ts";
import { mergeFiles, placeOf, stateOf } from "./merge.ts";
import type { MeshFault, MeshState } from "./view.ts";

/** What one look at the folder found. */
export interface FolderLook {
  /** The same object as before where nothing that matters has changed; undefined until every file was good once. */
  readonly state: MeshState | undefined;
  readonly faults: readonly MeshFault[];
  /** What was passed over, by the file's path. */
  readonly ignored: readonly MeshFault[];
  /** Whether a file looks bad but may only be half-written: the faults are not sure yet. */
  readonly doubtful: boolean;
  /** Whether to look again soon, without waiting for a change. */
  readonly unsettled: boolean;
}

/** Files looked at together; each may take a file descriptor. */
const TOGETHER = 32;

/** Follows the YAML and JSON files of a folder. Looks must not overlap. */
export function followFolder(folder: string): () => Promise<FolderLook> {
  const files = new Map<string, FollowedFile>();
  let taken: ReadonlyMap<string, Facts> = new Map();
  let state: MeshState | undefined;
  let digest: string | undefined;
  let last: FolderLook | undefined;

  return async () => {
    let names: readonly string[];
    try {
      names = await readdir(folder);
    } catch (error) {
      return { state, faults: [folderFault(folder, error)], ignored: [], doubtful: false, unsettled: false };
    }
    for (const name of names) {
      // Names with a leading dot are a ConfigMap mount's own folders and editors' drafts.
      if (!/^[^.].*\.(ya?ml|json)$/i.test(name) || files.has(name)) continue;
      files.set(name, followFile(join(folder, name)));
    }
    const looked = [...files.values()];
    let read = false;
    for (let start = 0; start < looked.length; start += TOGETHER) {
      const looks = looked.slice(start, start + TOGETHER).map((file) => file.look(last === undefined));
      if ((await Promise.all(looks)).includes(true)) read = true;
    }
    if (last && !read) return last;
    for (const [name, file] of files) if (file.gone) files.delete(name);

    const present = [...files].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, file]) => file);
    const merged = mergeFiles(present, taken);
    taken = merged.taken;
    const complete = present.every(({ path }) => taken.has(path));
    if ((state || complete) && merged.digest !== digest) {
      state = stateOf(merged.findings);
      digest = merged.digest;
    }
    last = {
      state,
      faults: [...present.flatMap(faultsOf), ...merged.faults],
      ignored: present.flatMap(({ path, facts }) =>
        (facts?.ignored ?? []).map((message) => ({ where: path, message })),
      ),
      doubtful: present.some((file) => file.doubtful),
      unsettled: present.some((file) => file.unsettled),
    };
    return last;
  };
}

const faultsOf = ({ path, faults }: FollowedFile): readonly MeshFault[] =>
  faults.map(({ line, message }) => ({ where: placeOf(path, line), message }));

function folderFault(folder: string, error: unknown): MeshFault {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const remedy = "create it, or name the folder with the mesh's YAML in the setting mesh.folder";
  if (code === "ENOENT") return { where: folder, message: `the folder does not exist; ${remedy}` };
  if (code === "ENOTDIR") return { where: folder, message: `this is a file, not a folder; ${remedy}` };
  const reason = error instanceof Error ? error.message : error;
  return { where: folder, message: `the folder cannot be read: ${reason}` };
}
