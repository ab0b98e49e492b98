import { hash } from "node:crypto";
import { isObject } from "../admission/json.ts";
import { MESH_CONFIG } from "../admission/names.ts";
import {
  described,
  field,
  type JudgedNode,
  type NamespaceLabels,
  type ObjectFault,
  type Reading,
  readName,
  readNamespace,
  readNode,
  readSwitch,
} from "./objects.ts";
import type { TextFault, Written } from "./parse.ts";
import type { MeshSwitch } from "./view.ts";

/** What one object says of the mesh. */
export type Statement =
  | { readonly about: "switch"; readonly meshSwitch: MeshSwitch }
  | { readonly about: "node"; readonly node: JudgedNode | undefined }
  | { readonly about: "namespace"; readonly namespace: NamespaceLabels };

export interface Finding {
  /** `Node a`: there may be one of each. */
  readonly key: string;
  readonly line: number | undefined;
  readonly statement: Statement;
  /** Differs when the statement does. */
  readonly digest: string;
}

export interface Interpretation {
  readonly findings: readonly Finding[];
  readonly faults: readonly TextFault[];
  /** What was passed over, in words, each once. */
  readonly ignored: readonly string[];
}

/** What the objects of a text say. A fault in one does not hide the others. */
export function interpret(values: readonly Written[]): Interpretation {
  const findings: Finding[] = [];
  const faults: TextFault[] = [];
  const ignored = new Set<string>();
  for (const { value, lineOf } of values) {
    for (const { object, path } of unfolded(value)) {
      const line = lineOf(path);
      const read = readObject(object);
      if ("fault" in read) faults.push({ line: lineOf([...path, ...read.fault.path]), message: read.fault.message });
      else if ("ignored" in read.value) ignored.add(read.value.ignored);
      else findings.push({ ...read.value, line, digest: digestOf(read.value.statement) });
    }
  }
  return { findings, faults, ignored: [...ignored] };
}

/** An object, or the items of a List of them, as far down as Lists go. */
function* unfolded(
  object: unknown,
  path: readonly (string | number)[] = [],
): Generator<{ readonly object: unknown; readonly path: readonly (string | number)[] }> {
  const items = field(object, "items") ?? [];
  if (field(object, "kind") !== "List" || field(object, "apiVersion") !== "v1" || !Array.isArray(items)) {
    yield { object, path };
    return;
  }
  for (const [index, item] of items.entries()) yield* unfolded(item, [...path, "items", index]);
}

type Reader = (object: unknown, name: string) => Reading<Said>;

type Said = { readonly key: string; readonly statement: Statement } | { readonly ignored: string };

const KINDS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    `${MESH_CONFIG.apiVersion} ${MESH_CONFIG.kind}`,
    (object, name) => {
      const key = `${MESH_CONFIG.kind} ${name}`;
      if (name !== MESH_CONFIG.name) return { value: { ignored: `${key}: only the one named default counts` } };
      const { resourceVersion = versionOf(object), ...meshSwitch } = readSwitch(object);
      return { value: { key, statement: { about: "switch", meshSwitch: { ...meshSwitch, resourceVersion } } } };
    },
  ],
  [
    "v1 Node",
    (object, name) => {
      const read = readNode(object);
      return "fault" in read
        ? read
        : { value: { key: `Node ${name}`, statement: { about: "node", node: read.value } } };
    },
  ],
  [
    "v1 Namespace",
    (object, name) => {
      const read = readNamespace(object);
      if ("fault" in read) return read;
      return { value: { key: `Namespace ${name}`, statement: { about: "namespace", namespace: read.value } } };
    },
  ],
]);

function readObject(object: unknown): Reading<Said> {
  const refused = (message: string, ...path: readonly string[]): { fault: ObjectFault } => ({
    fault: { path, message },
  });
  if (!isObject(object)) return refused(`found ${described(object)}; accepted: a Kubernetes object`);
  for (const name of ["apiVersion", "kind"]) {
    const value = field(object, name);
    if (value === undefined || value === null || value === "") return refused(`the object has no ${name}`);
    if (typeof value !== "string") return refused(`${name} is ${described(value)}; it must be a string`, name);
  }
  const { apiVersion, kind } = { apiVersion: field(object, "apiVersion"), kind: field(object, "kind") };
  const reader = KINDS.get(`${apiVersion} ${kind}`);
  if (!reader) return { value: { ignored: `${kind} (${apiVersion}): not a kind that is read here` } };
  const name = readName(object);
  return "fault" in name ? name : reader(object, name.value);
}

/** Stands in for the version that an API server would give the object. */
const versionOf = (object: unknown): string => `embedded-${hash("sha256", JSON.stringify(object)).slice(0, 12)}`;

const digestOf = (statement: Statement): string =>
  hash(
    "sha256",
    JSON.stringify(statement, (_, value) => (value instanceof Map ? [...value] : value)),
    "base64",
  );
