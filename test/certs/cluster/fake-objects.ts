import { EventEmitter } from "node:events";

/** An object of the fake API server: JSON, with what every object has. */
export interface FakeObject {
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

export class FakeConflict extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export interface FakeEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: FakeObject;
}

/** One collection with optimistic locking as an API server has it. Emits `event` with each change. */
export class FakeObjects extends EventEmitter {
  readonly #objects = new Map<string, FakeObject>();
  readonly #nextVersion: () => string;
  /** Everything that has happened, for watches that start at an older version. */
  readonly events: FakeEvent[] = [];

  constructor(nextVersion: () => string) {
    super({ captureRejections: false });
    this.setMaxListeners(100);
    this.#nextVersion = nextVersion;
  }

  all(): readonly FakeObject[] {
    return [...this.#objects.values()];
  }

  find(name: string): FakeObject | undefined {
    return this.#objects.get(name);
  }

  get(name: string): FakeObject {
    const object = this.#objects.get(name);
    if (!object) throw new FakeConflict(404, "NotFound", `"${name}" not found`);
    return object;
  }

  create(body: Fields): FakeObject {
    const { name } = metadataOf(body);
    if (this.#objects.has(name)) throw new FakeConflict(409, "AlreadyExists", `"${name}" already exists`);
    return this.#store("ADDED", name, body);
  }

  update(name: string, body: Fields): FakeObject {
    const version = metadataOf(body).resourceVersion;
    if (version !== undefined && version !== this.get(name).metadata.resourceVersion) {
      throw new FakeConflict(409, "Conflict", `"${name}": the object has been modified`);
    }
    return this.#store("MODIFIED", name, body);
  }

  /** Strategic merge: maps merge, a list of things with names merges by name, any other value replaces. */
  merge(name: string, patch: Fields): FakeObject {
    const merged = merge(this.get(name), patch);
    if (!isFields(merged)) throw new Error("not an object");
    return this.update(name, merged);
  }

  remove(name: string): void {
    const object = this.get(name);
    this.#objects.delete(name);
    this.#tell("DELETED", { ...object, metadata: { ...object.metadata, resourceVersion: this.#nextVersion() } });
  }

  #store(type: FakeEvent["type"], name: string, body: Fields): FakeObject {
    const object = { ...body, metadata: { ...metadataOf(body), name, resourceVersion: this.#nextVersion() } };
    this.#objects.set(name, object);
    this.#tell(type, object);
    return object;
  }

  #tell(type: FakeEvent["type"], object: FakeObject): void {
    const event = { type, object };
    this.events.push(event);
    this.emit("event", event);
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function metadataOf(body: Fields): { name: string; resourceVersion?: unknown; [field: string]: unknown } {
  const { metadata } = body;
  if (!isFields(metadata) || typeof metadata.name !== "string") throw new FakeConflict(422, "Invalid", "no name");
  return { ...metadata, name: metadata.name };
}

function merge(before: unknown, patch: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(patch)) {
    const named = new Map(before.map((item) => [item.name, item]));
    for (const item of patch) named.set(item.name, merge(named.get(item.name), item));
    return [...named.values()];
  }
  if (!isFields(before) || !isFields(patch)) return patch;
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(patch)) merged.set(key, merge(before[key], value));
  return Object.fromEntries(merged);
}
