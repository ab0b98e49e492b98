import Type, { type TSchema } from "typebox";
import { SettingsSchema } from "./schema.ts";

/** A setting that holds a value. */
export interface Leaf {
  readonly kind: "leaf";
  /** As a person writes it: `initContainer.image`. */
  readonly path: string;
  readonly description: string;
  readonly accepts: string;
  readonly default: unknown;
  readonly schema: TSchema;
}

/** A setting that holds other settings. The outermost one has the empty path. */
export interface Group {
  readonly kind: "group";
  readonly path: string;
  readonly description: string;
  readonly fields: ReadonlyMap<string, Group | Leaf>;
}

const note = (schema: TSchema, name: "description" | "accepts"): string => {
  const found: unknown = Reflect.get(schema, name);
  return typeof found === "string" ? found : "";
};

/** What the schema accepts at this place, in words; empty where it has no such note. */
export const acceptsNote = (schema: TSchema): string => note(schema, "accepts");

function readGroup(schema: TSchema, path: string): Group {
  const fields = new Map<string, Group | Leaf>();
  const properties = Type.IsObject(schema) ? schema.properties : {};
  for (const [name, field] of Object.entries(properties)) {
    fields.set(name, readField(field, path === "" ? name : `${path}.${name}`));
  }
  return { kind: "group", path, description: note(schema, "description"), fields };
}

function readField(schema: TSchema, path: string): Group | Leaf {
  if (Type.IsObject(schema)) return readGroup(schema, path);
  return {
    kind: "leaf",
    path,
    description: note(schema, "description"),
    accepts: acceptsNote(schema),
    default: Reflect.get(schema, "default"),
    schema,
  };
}

/** The settings schema as a tree of groups and leaves: what the loader walks and the README's table lists. */
export const SETTINGS: Group = readGroup(SettingsSchema, "");
