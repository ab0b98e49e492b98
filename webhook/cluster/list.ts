import { ApiError, type ClusterClient } from "./api.ts";
import { property } from "./property.ts";

/** Which objects of a cluster are meant. */
export interface Selection {
  /** Of the collection: `/api/v1/nodes`. */
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Whether names, labels and annotations are enough: the rest is neither sent nor parsed. */
  readonly metadataOnly?: boolean;
}

export interface Listed<T> {
  readonly objects: readonly T[];
  /** Where a watch goes on. */
  readonly resourceVersion: string;
}

/** Objects a page: what the API server, its etcd and this program hold at a time. */
const PAGE = 500;

/** How often a list is begun anew because the server forgot the version that its pages are of. */
const MAX_RESTARTS = 3;

/**
 * Lists objects page by page; `read` is given each one as it comes, so that a long list is never here as a whole.
 *
 * @throws ApiError, Error as ClusterClient.request does
 */
export async function listObjects<T>(
  client: ClusterClient,
  selection: Selection,
  read: (object: unknown) => readonly T[],
  signal: AbortSignal,
): Promise<Listed<T>> {
  let objects: T[] = [];
  let next = "";
  let restarts = 0;
  for (;;) {
    try {
      const query = { ...selectors(selection), limit: String(PAGE), ...(next !== "" && { continue: next }) };
      const { path } = selection;
      const page = await client.request({
        path,
        query,
        accept: acceptOf(selection, "PartialObjectMetadataList"),
        signal,
      });
      const items = property(page, "items");
      const resourceVersion = textOf(property(page, "metadata"), "resourceVersion");
      // An empty list of Go's may be null.
      if (!Array.isArray(items ?? []) || resourceVersion === "") {
        throw new Error(`GET ${client.server}${path}: the answer is no list; is this an API server?`);
      }
      for (const item of Array.isArray(items) ? items : []) objects.push(...read(item));
      next = textOf(property(page, "metadata"), "continue");
      if (next === "") return { objects, resourceVersion };
    } catch (error) {
      if (!isExpired(error) || next === "" || ++restarts > MAX_RESTARTS) throw error;
      objects = [];
      next = "";
    }
  }
}

/** Whether the server no longer knows the version that was asked for. */
export const isExpired = (error: unknown): boolean => error instanceof ApiError && error.status === 410;

export const selectors = ({ fieldSelector, labelSelector }: Selection): Readonly<Record<string, string>> => ({
  ...(fieldSelector !== undefined && { fieldSelector }),
  ...(labelSelector !== undefined && { labelSelector }),
});

/** A server that cannot leave the rest away may send it. */
export const acceptOf = ({ metadataOnly }: Selection, kind: string): string =>
  metadataOnly ? `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json` : "application/json";

/** The version of an object or of a bookmark; empty where it has none. */
export const versionOf = (object: unknown): string => textOf(property(object, "metadata"), "resourceVersion");

const textOf = (object: unknown, name: string): string => {
  const value = property(object, name);
  return typeof value === "string" ? value : "";
};
