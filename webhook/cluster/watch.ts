import type { Log } from "../log.ts";
import { ApiError, type ClusterClient } from "./api.ts";
import { type BackoffOptions, createBackoff, sleepUntil } from "./backoff.ts";
import { statusFault } from "./faults.ts";
import { acceptOf, listObjects, type Selection, selectors, versionOf } from "./list.ts";
import { keepStatus, type WatchStatus } from "./watch-status.ts";

/** What a watch tells, in the server's order. */
export type Delivery<T> =
  /** All objects there are: what was known before and is not among them is gone. `absent`: not even the kind is known. */
  | { readonly kind: "replace"; readonly objects: readonly T[]; readonly absent: boolean }
  | { readonly kind: "change"; readonly object: T }
  | { readonly kind: "delete"; readonly object: T };

export interface WatchOptions<T> extends Selection {
  readonly client: ClusterClient;
  readonly log: Log;
  /** Takes from an object what is to be kept. An object that it throws for is logged, counted and passed over. */
  readonly read: (object: unknown) => T;
  /** What it throws is logged and counted; the watch goes on. */
  readonly deliver: (delivery: Delivery<T>) => void;
  /** Whether the server may not know this kind of object, as before its definition is applied: there are none then. */
  readonly mayBeAbsent?: boolean;
  /** Milliseconds between two looks whether the kind is known by now. */
  readonly absentMs?: number;
  readonly backoff?: BackoffOptions;
  /**
   * Milliseconds. After a watch that told nothing for so long, not even by bookmark, all is listed: a server whose etcd
   * was put back to an older version accepts a watch from the future, and is silent.
   */
  readonly silentMs?: number;
  readonly now?: () => Date;
}

export interface ObjectWatch {
  readonly status: WatchStatus;
  /** Resolves when nothing will be delivered any more. */
  close(): Promise<void>;
}

/** Milliseconds. A watch that lasted so long was a success: the pauses begin anew, and its end is no fault. */
const STEADY_MS = 1000;

/** Milliseconds. A server that accepts a watch may still refuse its version, with the first event. */
const SETTLE_MS = 100;

/**
 * Answers to a watch that call for a list. 404: the kind is not known any more. 410: the version is forgotten.
 * 504: the version is not known yet, and may never be.
 */
const LIST_ANEW: ReadonlySet<number> = new Set([404, 410, 504]);

/**
 * Lists objects, then watches them from there on until it is closed. A watch that ends goes on where it was, so that
 * nothing is lost or told twice; where the server has forgotten that place, all is listed anew.
 */
export function watchObjects<T>(options: WatchOptions<T>): ObjectWatch {
  const { client, path, log, read, deliver, now = () => new Date() } = options;
  const { mayBeAbsent = false, absentMs = 2000, silentMs = 150_000 } = options;
  const where = `${client.server}${path}`;
  const status = keepStatus(log, where, now);
  const backoff = createBackoff(options.backoff);
  const closing = new AbortController();
  const { signal } = closing;
  /** Where the next watch starts; undefined where a list must come first. */
  let version: string | undefined;
  /** Whether a list may follow a refused version without a pause: once after each watch that was a success. */
  let hurry = true;

  const reading = (object: unknown): readonly T[] => status.guard(() => [read(object)]) ?? [];
  const delivered = (delivery: Delivery<T>) => status.guard(() => deliver(delivery));

  const list = async (): Promise<void> => {
    status.recount();
    try {
      const { objects, resourceVersion } = await listObjects(client, options, reading, signal);
      delivered({ kind: "replace", objects, absent: false });
      version = resourceVersion;
      status.agreed("synced");
    } catch (error) {
      if (!mayBeAbsent || !(error instanceof ApiError) || error.status !== 404) throw error;
      if (status.current.state !== "absent") delivered({ kind: "replace", objects: [], absent: true });
      status.agreed("absent");
      backoff.reset();
      await sleepUntil(absentMs, signal);
    }
  };

  const watch = async (from: string): Promise<void> => {
    const query = { ...selectors(options), resourceVersion: from, allowWatchBookmarks: "true" };
    const accept = acceptOf(options, "PartialObjectMetadata");
    let openedAt = Number.POSITIVE_INFINITY;
    let heardAt = Number.POSITIVE_INFINITY;
    let settling: NodeJS.Timeout | undefined;
    const opened = () => {
      openedAt = heardAt = performance.now();
      settling = setTimeout(() => status.agreed("synced"), SETTLE_MS).unref();
    };
    try {
      for await (const { type, object } of client.watch({ path, query, accept, signal }, opened)) {
        if (type === "ERROR") {
          version = undefined;
          throw statusFault(`GET ${where}`, 500, object);
        }
        const told = versionOf(object);
        if (told === "") throw new Error(`GET ${where}: an event of the watch has no resourceVersion`);
        const kind = type === "DELETED" ? "delete" : "change";
        if (type !== "BOOKMARK") for (const one of reading(object)) delivered({ kind, object: one });
        version = told;
        heardAt = performance.now();
        status.agreed("synced");
      }
    } catch (error) {
      // A connection may break at any time; whether that is a fault, the next attempt will show.
      const steady = performance.now() - openedAt > STEADY_MS;
      if (!steady || error instanceof ApiError) throw error;
      if (!signal.aborted) log.debug({ where }, `a watch broke: ${messageOf(error)}`);
    } finally {
      clearTimeout(settling);
      if (performance.now() - openedAt > STEADY_MS) {
        backoff.reset();
        hurry = true;
      }
      if (performance.now() - heardAt > silentMs) version = undefined;
    }
  };

  const failed = (error: unknown, watching: boolean): "hurry" | "pause" => {
    const answer = error instanceof ApiError ? error.status : undefined;
    if (answer !== undefined && LIST_ANEW.has(answer)) version = undefined;
    const expected = watching && (answer === 410 || (answer === 404 && mayBeAbsent));
    if (!expected || !hurry) {
      status.failed(messageOf(error));
      return "pause";
    }
    log.info({ where }, `all is listed anew: ${messageOf(error)}`);
    hurry = false;
    return "hurry";
  };

  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      const from = version;
      try {
        if (from === undefined) {
          await list();
          continue;
        }
        await watch(from);
      } catch (error) {
        if (signal.aborted || failed(error, from !== undefined) === "hurry") continue;
      }
      await backoff.pause(signal);
    }
  };

  const done = follow();
  return {
    get status() {
      return status.current;
    },
    async close() {
      closing.abort(new Error("the watch was closed"));
      await done;
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
