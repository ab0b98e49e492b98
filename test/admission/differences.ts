/** One place where two JSON values differ. */
export interface Difference {
  readonly kind: "added" | "removed" | "changed";
  /** A JSON Pointer. */
  readonly at: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/**
 * Where `after` differs from `before`. A list is compared item by item; absent and null are an empty list or map, so
 * that what was put into a new one is told, and not that it is new.
 */
export function differences(before: unknown, after: unknown, at = ""): readonly Difference[] {
  if (Array.isArray(after) && (Array.isArray(before) || isNothing(before))) return items(before ?? [], after, at);
  if (isObject(after) && (isObject(before) || isNothing(before))) return fields(before ?? {}, after, at);
  if (before === after) return [];
  if (before === undefined) return [{ kind: "added", at, after }];
  if (after === undefined) return [{ kind: "removed", at, before }];
  return [{ kind: "changed", at, before, after }];
}

function items(before: readonly unknown[], after: readonly unknown[], at: string): readonly Difference[] {
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, index) => index).flatMap((index): readonly Difference[] => {
    const path = `${at}/${index}`;
    if (index >= before.length) return [{ kind: "added", at: path, after: after[index] }];
    if (index >= after.length) return [{ kind: "removed", at: path, before: before[index] }];
    return differences(before[index], after[index], path);
  });
}

function fields(before: object, after: object, at: string): readonly Difference[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    differences(own(before, key), own(after, key), `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`),
  );
}

function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? Reflect.get(object, key) : undefined;
}

function isNothing(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
