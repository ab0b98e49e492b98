/** An object as a test writes it; the store adds the version. */
export interface FakeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

interface Stored {
  readonly object: FakeObject;
  readonly version: number;
}

interface Change {
  readonly version: number;
  readonly path: string;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: FakeObject;
}

/** What a fake API server keeps in place of etcd: objects, one counter of versions, and the changes so far. */
export function openStore() {
  let version = 100;
  let compacted = version;
  let changes: Change[] = [];
  const collections = new Map<string, Map<string, Stored>>();
  const pages = new Map<string, { readonly rest: readonly unknown[]; readonly version: number }>();
  const subscribers = new Set<(change: Change) => void>();

  const collection = (path: string) => {
    const found = collections.get(path) ?? new Map<string, Stored>();
    collections.set(path, found);
    return found;
  };
  const record = (path: string, type: Change["type"], object: FakeObject) => {
    const change = { version, path, type, object };
    changes.push(change);
    for (const subscriber of subscribers) subscriber(change);
  };

  return {
    put(path: string, object: FakeObject) {
      version++;
      const type = collection(path).has(object.metadata.name) ? "MODIFIED" : "ADDED";
      collection(path).set(object.metadata.name, { object, version });
      record(path, type, object);
    },
    remove(path: string, name: string) {
      const found = collection(path).get(name);
      if (!found) return;
      version++;
      collection(path).delete(name);
      record(path, "DELETED", found.object);
    },
    compact() {
      compacted = version;
      changes = [];
      pages.clear();
    },
    version: () => String(version),
    forgot: (from: number) => from < compacted,
    bookmark: () => eventLine("BOOKMARK", { metadata: { name: "" } }, version),
    /** A page; undefined where the rest of a list was compacted away. */
    list(path: string, query: URLSearchParams) {
      const token = query.get("continue");
      const begun = token === null ? undefined : pages.get(token);
      if (token !== null && !begun) return undefined;
      const all = [...collection(path).values()].filter(({ object }) => selects(query, object));
      const rest = begun?.rest ?? all.map((stored) => versioned(stored.object, stored.version));
      const limit = Number(query.get("limit") ?? rest.length);
      const next = rest.length > limit ? `${path} ${version} ${rest.length}` : "";
      const of = begun?.version ?? version;
      if (next !== "") pages.set(next, { rest: rest.slice(limit), version: of });
      return {
        kind: "List",
        apiVersion: "v1",
        metadata: { resourceVersion: String(of), ...(next !== "" && { continue: next }) },
        items: rest.slice(0, limit),
      };
    },
    /** Sends what has changed since a version, and what changes from now on; returns how to end that. */
    subscribe(path: string, query: URLSearchParams, from: number, send: (line: string) => void) {
      const tell = (change: Change) => {
        if (change.path !== path || change.version <= from || !selects(query, change.object)) return;
        send(eventLine(change.type, change.object, change.version));
      };
      for (const change of changes) tell(change);
      subscribers.add(tell);
      return () => void subscribers.delete(tell);
    },
  };
}

const versioned = (object: FakeObject, version: number) => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(version) },
});

/** A line of a watch. */
export const eventLine = (type: string, object: FakeObject, version: number): string =>
  JSON.stringify({ type, object: versioned(object, version) });

/** The two selectors that this program uses: a label exists, a name is. */
function selects(query: URLSearchParams, { metadata }: FakeObject): boolean {
  const label = query.get("labelSelector");
  const field = query.get("fieldSelector");
  if (label !== null && metadata.labels?.[label] === undefined) return false;
  return field === null || field === `metadata.name=${metadata.name}`;
}
