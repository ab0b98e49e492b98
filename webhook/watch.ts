import { type Stats, statSync, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

export interface WatchOptions {
  /** How often to compare the folder with what it was, in milliseconds: some file systems send no events. */
  readonly pollMs?: number;
  /** How long to wait after a first event, in milliseconds, so that one save is one call. */
  readonly settleMs?: number;
}

export interface FolderWatch {
  close(): void;
}

/**
 * Calls `changed` after files in `folder` were added, changed or removed. It watches and it polls: an event may be
 * lost, and a mounted ConfigMap or Secret changes by the renaming of a link.
 */
export function watchFolder(folder: string, changed: () => void, options: WatchOptions = {}): FolderWatch {
  const { pollMs = 1000, settleMs = 20 } = options;
  let known: string | undefined;
  let settling: NodeJS.Timeout | undefined;
  let closed = false;

  const settle = () => {
    if (closed || settling) return;
    settling = setTimeout(() => {
      settling = undefined;
      changed();
    }, settleMs);
    settling.unref();
  };

  let watcher = startWatcher(folder, settle);
  let looking = false;
  const poll = async () => {
    // A file system that hangs must not gather polls.
    if (looking) return;
    looking = true;
    const found = await signature(folder);
    const folderNow = await stat(folder).then(identity, () => undefined);
    looking = false;
    if (closed) return;
    if (known !== undefined && found !== known) settle();
    known = found;
    // A folder that was away, or was replaced by another (a link to it may have moved), is watched anew.
    if (!watcher || watcher.ended() || watcher.folder !== folderNow) {
      watcher?.close();
      watcher = startWatcher(folder, settle);
    }
  };
  void poll();
  const polling = setInterval(() => void poll(), pollMs);
  polling.unref();

  return {
    close() {
      closed = true;
      clearInterval(polling);
      clearTimeout(settling);
      watcher?.close();
    },
  };
}

function startWatcher(folder: string, event: () => void) {
  let ended = false;
  try {
    const found = identity(statSync(folder));
    const name = basename(resolve(folder));
    const watcher = watch(folder, { persistent: false }, (type, changed) => {
      // The folder itself was moved or removed: this watch says no more.
      if (type === "rename" && changed === name) ended = true;
      event();
    });
    watcher.on("error", () => {
      ended = true;
      watcher.close();
    });
    return { folder: found, close: () => watcher.close(), ended: () => ended };
  } catch {
    return undefined;
  }
}

/** Tells one folder from another of its name. Inode numbers are used again, so the time of birth counts too. */
const identity = ({ dev, ino, birthtimeMs }: Stats): string => `${dev}:${ino}:${birthtimeMs}`;

/** What the folder holds, as a text that differs when a file does. Links are followed. */
async function signature(folder: string): Promise<string> {
  try {
    const names = (await readdir(folder)).sort();
    const seen = await Promise.all(
      names.map(async (name) => {
        const found = await stat(join(folder, name)).catch(() => undefined);
        return `${name}:${found?.ino}:${found?.size}:${found?.mtimeMs}:${found?.ctimeMs}`;
      }),
    );
    return seen.join("\n");
  } catch (error) {
    return `unreadable: ${error}`;
  }
}
