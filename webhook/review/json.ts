import { pointer } from "../admission/patch.ts";
import { RequestError } from "../errors.ts";
import { fieldPath } from "../field-path.ts";

/** A JSON body, or a RequestError that says where it stops being one. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw new RequestError("InvalidJson", "the request has no body");
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new RequestError("InvalidJson", `the body is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

const FORBIDDEN = "__proto__";
/** How the key can be written in JSON: as it is, or with an escaped letter, which Go never escapes by itself. */
const SUSPECTS = [FORBIDDEN, "\\u005", "\\u006", "\\u007"];

/** `forbiddenKey`, for a value that was just parsed from `body`: most bodies need no second look. */
export function forbiddenKeyIn(body: Buffer, value: unknown): string | undefined {
  return SUSPECTS.some((suspect) => body.includes(suspect)) ? forbiddenKey(value) : undefined;
}

/**
 * The path of a key named `__proto__`, which no field of Kubernetes has and no label or annotation may have. It is
 * harmless here, but whoever sends it means harm to somebody.
 */
export function forbiddenKey(value: unknown): string | undefined {
  for (const { at, key } of keys(value)) if (key === FORBIDDEN) return fieldPath(at);
  return undefined;
}

/** Whether objects and lists are nested deeper than `levels`. */
export function deeperThan(levels: number, value: unknown): boolean {
  for (const { depth } of keys(value)) if (depth > levels) return true;
  return false;
}

/** Every key of a JSON value with its JSON Pointer. Not recursive: a body may be nested deeper than the stack is. */
export function* keys(
  value: unknown,
): Generator<{ readonly at: string; readonly key: string; readonly depth: number }> {
  const rest = [{ at: "", value, depth: 0 }];
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    for (const [key, inner] of Object.entries(next.value)) {
      const found = { at: next.at + pointer(key), value: inner, depth: next.depth + 1 };
      yield { at: found.at, key, depth: found.depth };
      rest.push(found);
    }
  }
}
