import { isMap, isNode, isSeq } from "yaml";

/**
 * Where in a YAML text a field begins: its key, or a list's item; where it is not written, the nearest written place
 * around it. The offset counts characters from the text's start.
 */
export function offsetOf(root: unknown, path: readonly (string | number)[]): number {
  let node = root;
  let offset = isNode(root) ? (root.range?.[0] ?? 0) : 0;
  for (const step of path) {
    let place: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => keyText(key) === step);
      place = pair?.key;
      node = pair?.value;
    } else if (isSeq(node) && typeof step === "number") {
      place = node.items[step];
      node = place;
    }
    if (!isNode(place)) break;
    offset = place.range?.[0] ?? offset;
  }
  return offset;
}

/** A mapping's key as text: YAML allows numbers and worse there. */
export function keyText(key: unknown): string {
  return isNode(key) && "value" in key ? String(key.value) : String(key);
}
