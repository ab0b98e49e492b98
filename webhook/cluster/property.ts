/** A property of a value from outside, of which nothing is known yet; undefined where it is no object. */
export const property = (object: unknown, name: string): unknown =>
  typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined;
