import type { Delivery } from "../cluster/watch.ts";
import type { Kept } from "./kubernetes-objects.ts";

/** What is known of the objects of one kind, by name. */
export interface KeptObjects<T> {
  readonly all: ReadonlyMap<string, T>;
  /** Takes in what a watch delivers; returns whether it changed anything. Most events of a node do not. */
  take(delivery: Delivery<Kept<T>>): boolean;
}

export function keepObjects<T>(same: (one: T, other: T) => boolean): KeptObjects<T> {
  let all = new Map<string, T>();

  const differs = (name: string, value: T): boolean => {
    const known = all.get(name);
    return known === undefined || !same(known, value);
  };
  const replace = (objects: readonly Kept<T>[]): boolean => {
    const found = new Map(objects.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])));
    const changed = found.size !== all.size || [...found].some(([name, value]) => differs(name, value));
    if (changed) all = found;
    return changed;
  };

  return {
    get all() {
      return all;
    },
    take(delivery) {
      if (delivery.kind === "replace") return replace(delivery.objects);
      const { name, value } = delivery.object;
      if (delivery.kind === "delete" || value === undefined) return all.delete(name);
      if (!differs(name, value)) return false;
      all.set(name, value);
      return true;
    },
  };
}
