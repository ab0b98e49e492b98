/** A JSON Patch (RFC 6902) operation, of the kinds that are needed here. */
export type Operation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

export const add = (path: string, value: unknown): Operation => ({ op: "add", path, value });
export const replace = (path: string, value: unknown): Operation => ({ op: "replace", path, value });
export const remove = (path: string): Operation => ({ op: "remove", path });

/** A JSON Pointer (RFC 6901) from its unescaped parts. */
export function pointer(...parts: readonly (string | number)[]): string {
  let path = "";
  for (const part of parts) path += `/${typeof part === "string" ? escaped(part) : part}`;
  return path;
}

function escaped(part: string): string {
  return /[~/]/.test(part) ? part.replaceAll("~", "~0").replaceAll("/", "~1") : part;
}

/** The value at the parts below `root`; undefined where an object on the way is missing. Own keys only. */
export function valueAt(root: unknown, parts: readonly string[]): unknown {
  let here = root;
  for (const part of parts) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, part)) return undefined;
    here = Reflect.get(here, part);
  }
  return here;
}

/**
 * Sets values below one object, making the objects on the way that are absent or null. One writer for all the values
 * under one root, so that an object is made once.
 */
export function writer(root: unknown, path: string) {
  const made = new Set<string>();
  return (parts: readonly string[], value: unknown): readonly Operation[] => {
    const operations: Operation[] = [];
    for (let depth = 1; depth < parts.length; depth++) {
      const above = parts.slice(0, depth);
      const at = path + pointer(...above);
      const found = valueAt(root, above);
      if (made.has(at) || (typeof found === "object" && found !== null)) continue;
      made.add(at);
      operations.push(add(at, {}));
    }
    operations.push(add(path + pointer(...parts), value));
    return operations;
  };
}
