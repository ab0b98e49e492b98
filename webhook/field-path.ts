/**
 * A JSON Pointer as people write a field's path: `/spec/containers/0/name` is `spec.containers[0].name`, and a key
 * with dots or slashes stands in brackets.
 */
export function fieldPath(pointer: string): string {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~")).reduce(join, "");
}

function join(path: string, part: string): string {
  if (/^[0-9]+$/.test(part)) return `${path}[${part}]`;
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) return `${path}[${JSON.stringify(part)}]`;
  return path === "" ? part : `${path}.${part}`;
}
