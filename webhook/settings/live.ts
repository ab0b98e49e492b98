import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Log } from "../log.ts";
import { watchFolder } from "../watch.ts";
import { faultLine } from "./fault.ts";
import { DEFAULTS, parseSettings } from "./load.ts";
import type { Settings } from "./schema.ts";

export interface LiveSettingsOptions {
  /** The settings file; undefined takes the defaults and watches nothing. */
  readonly file: string | undefined;
  readonly log: Log;
  readonly now?: () => Date;
  /** How often to look at the file's folder where no event comes, in milliseconds. */
  readonly pollMs?: number;
}

/** The settings in force, which follow their file. */
export interface LiveSettings {
  readonly current: Settings;
  /** Why the file as it is now was refused; undefined where it is in force. */
  readonly fault: string | undefined;
  /** When `current` was read. */
  readonly loadedAt: Date;
  /** Calls the listener after settings have changed; not for a change of comments or of order. */
  onChange(listener: (now: Settings, before: Settings) => void): void;
  close(): void;
}

/** Read once, at the start. */
const FIXED = ["listen", "mesh", "certificates"] as const;

/** Milliseconds. A changed file is believed when it reads the same twice, this far apart: it may be half-written. */
const STEADY_MS = 50;

/** A file's text, or why it could not be read. */
type Reading = { readonly text: string } | { readonly fault: string };

/**
 * Reads the settings file and follows it. A new version that is not valid is refused and reported, and the old one
 * stays in force.
 *
 * @throws Error at the start, when the file cannot be read or is not valid; its message lists every fault.
 */
export function openSettings({ file, log, now = () => new Date(), pollMs }: LiveSettingsOptions): LiveSettings {
  if (file === undefined) {
    return { current: DEFAULTS, fault: undefined, loadedAt: now(), onChange() {}, close() {} };
  }
  const path = resolve(file);
  let reading = read(path);
  const first = judge(reading, path);
  if ("fault" in first) throw new Error(first.fault);

  let current = first.settings;
  let loadedAt = now();
  let fault: string | undefined;
  const listeners: ((now: Settings, before: Settings) => void)[] = [];

  const accept = (settings: Settings) => {
    if (fault !== undefined) log.info({ file }, "the settings file is valid again");
    fault = undefined;
    loadedAt = now();
    if (isDeepStrictEqual(settings, current)) return;
    const before = current;
    current = settings;
    log.info({ file }, "settings reloaded");
    for (const group of FIXED) {
      if (isDeepStrictEqual(settings[group], before[group])) continue;
      log.warn({ file, group }, `the change in ${group} takes effect at the next start`);
    }
    for (const listener of listeners) {
      try {
        listener(settings, before);
      } catch (error) {
        log.error({ err: error }, "a part of the service did not take the new settings");
      }
    }
  };

  let steadying: NodeJS.Timeout | undefined;
  let candidate: Reading | undefined;
  const look = () => {
    clearTimeout(steadying);
    const found = read(path);
    const steady = isDeepStrictEqual(found, candidate);
    candidate = found;
    if (isDeepStrictEqual(found, reading)) return;
    if (!steady) {
      steadying = setTimeout(look, STEADY_MS).unref();
      return;
    }
    reading = found;
    const judged = judge(found, path);
    if ("settings" in judged) return accept(judged.settings);
    if (judged.fault !== fault) log.error({ file }, `the old settings stay in force: ${judged.fault}`);
    fault = judged.fault;
  };

  const watching = watchFolder(dirname(path), look, pollMs === undefined ? {} : { pollMs });
  // The file may have changed before the watch began.
  look();

  return {
    get current() {
      return current;
    },
    get fault() {
      return fault;
    },
    get loadedAt() {
      return loadedAt;
    },
    onChange: (listener) => void listeners.push(listener),
    close() {
      watching.close();
      clearTimeout(steadying);
    },
  };
}

function read(file: string): Reading {
  try {
    return { text: readFileSync(file, "utf8") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return { fault: `the settings file ${file} does not exist` };
    return { fault: `the settings file ${file} cannot be read: ${error instanceof Error ? error.message : error}` };
  }
}

function judge(reading: Reading, file: string): { readonly settings: Settings } | { readonly fault: string } {
  if ("fault" in reading) return reading;
  const parsed = parseSettings(reading.text, file);
  if ("settings" in parsed) return parsed;
  return {
    fault: `the settings file ${file} is not valid:\n${parsed.faults.map((one) => `  ${faultLine(one)}`).join("\n")}`,
  };
}
