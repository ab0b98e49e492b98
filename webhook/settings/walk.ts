import type { TSchema } from "typebox";
import Type from "typebox";
import Value from "typebox/value";
import { isMap, isNode } from "yaml";
import { keyText } from "../yaml-offset.ts";
import { pathText, shown } from "./fault.ts";
import { acceptsNote, type Group, type Leaf, SETTINGS } from "./fields.ts";
import { nearest } from "./nearest.ts";

type Path = readonly (string | number)[];

/** A setting that is not as it should be. */
export interface FieldFault {
  readonly path: Path;
  readonly message: string;
}

type Report = (path: Path, message: string) => void;

/**
 * Compares what is written with the schema, setting by setting, and fills in the defaults. The value is built from
 * the schema's names alone, so that no key of the file can reach further than a message.
 */
export function walkSettings(root: unknown): { readonly value: unknown; readonly faults: readonly FieldFault[] } {
  const faults: FieldFault[] = [];
  const value = groupValue(SETTINGS, root, [], (path, message) => faults.push({ path, message }));
  return { value, faults };
}

function groupValue(group: Group, node: unknown, path: Path, report: Report): unknown {
  const written = new Map<string, unknown>();
  const keys = [...group.fields.keys()].join(", ");
  if (isMap(node)) {
    for (const pair of node.items) written.set(keyText(pair.key), pair.value);
  } else if (plain(node) !== null) {
    report(path, `found ${shown(plain(node))}; accepted: a group with the keys ${keys}`);
  }
  for (const key of written.keys()) {
    if (group.fields.has(key)) continue;
    const meant = nearest(key, group.fields.keys());
    report([...path, key], `unknown key${meant ? `, did you mean ${meant}?` : ";"} accepted here: ${keys}`);
  }
  const entries = [...group.fields].map(([name, field]) => {
    const found = written.get(name);
    const at = [...path, name];
    if (field.kind === "group") return [name, groupValue(field, found, at, report)];
    return [name, written.has(name) ? leafValue(field, found, at, report) : field.default];
  });
  return Object.fromEntries(entries);
}

function leafValue(leaf: Leaf, node: unknown, path: Path, report: Report): unknown {
  const value = plain(node);
  // A mapping whose entries are all commented out is an empty mapping.
  if (value === null && Reflect.get(leaf.schema, "type") === "object") return {};
  const faulty = new Set<string>();
  for (const error of Value.Errors(leaf.schema, value)) {
    // It repeats, for the whole mapping, what was already said of an entry.
    if (error.keyword === "additionalProperties") continue;
    const steps = stepsOf(error.instancePath, value);
    const place = pathText(steps);
    if (faulty.has(place)) continue;
    faulty.add(place);
    const found = at(value, steps);
    const accepted = acceptedAt(leaf, error.schemaPath) + (MORE[error.keyword]?.(error.params, found) ?? "");
    report([...path, ...steps], `found ${shown(found)}; accepted: ${accepted}`);
  }
  return value;
}

/** What the note of a field does not say, by the schema's keyword. */
const MORE: Readonly<Record<string, (params: object, found: unknown) => string>> = {
  type: (params, found) =>
    Reflect.get(params, "type") === "string" && ["number", "boolean"].includes(typeof found)
      ? "; as text, in quotes"
      : "",
  uniqueItems: () => ", each once",
  maxLength: (params) => `, at most ${Reflect.get(params, "limit")} characters`,
};

function acceptedAt(leaf: Leaf, schemaPath: string): string {
  const inner = schemaPath.startsWith("#/items") ? itemSchema(leaf.schema) : entrySchema(leaf.schema, schemaPath);
  return (inner && acceptsNote(inner)) || leaf.accepts;
}

const itemSchema = (schema: TSchema): TSchema | undefined => (Type.IsArray(schema) ? schema.items : undefined);

function entrySchema(schema: TSchema, schemaPath: string): TSchema | undefined {
  const patterns: unknown = Reflect.get(schema, "patternProperties");
  if (typeof patterns !== "object" || patterns === null) return undefined;
  for (const [pattern, entry] of Object.entries(patterns)) {
    if (schemaPath.startsWith(`#/patternProperties/${pattern}`)) return entry;
  }
  return undefined;
}

/** The steps of a JSON pointer (RFC 6901) into a leaf's value. */
function stepsOf(pointer: string, value: unknown): Path {
  const steps = pointer.split("/").slice(1);
  if (Array.isArray(value)) return steps.map(Number);
  return steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function at(value: unknown, steps: Path): unknown {
  let found = value;
  for (const step of steps) found = typeof found === "object" && found !== null ? Reflect.get(found, step) : undefined;
  return found;
}

const plain = (node: unknown): unknown => (isNode(node) ? (node.toJSON() ?? null) : (node ?? null));
