import Type, { type Static } from "typebox";
import { Check } from "typebox/value";
import { ApiError, type ClusterClient } from "../../webhook/cluster/api.ts";
import type { Selection } from "../../webhook/cluster/list.ts";

/** Who writes, for the API server's managedFields. */
export const FIELD_MANAGER = "smc-webhook";

export const KEYS = ["ca.crt", "ca.key", "tls.crt", "tls.key"] as const;
export type Texts = Readonly<Record<(typeof KEYS)[number], string>>;

const SecretObject = Type.Object({
  metadata: Type.Object({ resourceVersion: Type.String() }),
  data: Type.Optional(Type.Record(Type.String(), Type.String())),
});

export interface StoredSecret {
  /** What the keys hold; empty where a key is missing. */
  readonly texts: Texts;
  /** The object as it was read: what is not ours in it is written back. */
  readonly object: Static<typeof SecretObject>;
}

export interface SecretStore {
  /** `Secret smc-system/smc-webhook-tls`, for people. */
  readonly name: string;
  /** What to watch. */
  readonly selection: Selection;
  /** The Secret as it is now, or nothing where there is none. */
  read(): Promise<StoredSecret | undefined>;
  /** Writes over `before`, or creates the Secret; undefined where somebody else was faster. */
  write(texts: Texts, before: StoredSecret | undefined): Promise<StoredSecret | undefined>;
}

interface SecretOptions {
  readonly client: ClusterClient;
  readonly namespace: string;
  readonly secret: string;
  readonly signal: AbortSignal;
}

/** One Secret of a cluster, written with optimistic locking. */
export function secretStore({ client, namespace, secret, signal }: SecretOptions): SecretStore {
  const collection = `/api/v1/namespaces/${namespace}/secrets`;
  const path = `${collection}/${secret}`;
  const query = { fieldManager: FIELD_MANAGER };
  const name = `Secret ${namespace}/${secret}`;

  const stored = (object: unknown): StoredSecret => {
    if (!Check(SecretObject, object)) throw new Error(`${name}: the API server's answer is no Secret`);
    const text = (key: string) => Buffer.from(object.data?.[key] ?? "", "base64").toString("utf8");
    return {
      object,
      texts: {
        "ca.crt": text("ca.crt"),
        "ca.key": text("ca.key"),
        "tls.crt": text("tls.crt"),
        "tls.key": text("tls.key"),
      },
    };
  };

  return {
    name,
    selection: { path: collection, fieldSelector: `metadata.name=${secret}` },
    async read() {
      try {
        return stored(await client.request({ path, signal }));
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    },
    async write(texts, before) {
      const data = Object.fromEntries(KEYS.map((key) => [key, Buffer.from(texts[key]).toString("base64")]));
      try {
        if (before) {
          const body = { ...before.object, data: { ...before.object.data, ...data } };
          return stored(await client.request({ method: "PUT", path, query, body, signal }));
        }
        const metadata = { name: secret, namespace, labels: { "app.kubernetes.io/part-of": "smc-webhook" } };
        const body = { apiVersion: "v1", kind: "Secret", metadata, type: "kubernetes.io/tls", data };
        return stored(await client.request({ method: "POST", path: collection, query, body, signal }));
      } catch (error) {
        // 409: it was changed, or made, meanwhile. 404 for a PUT: it was deleted.
        if (isStatus(error, 409) || (before && isStatus(error, 404))) return undefined;
        throw error;
      }
    },
  };
}

export const isStatus = (error: unknown, status: number): boolean =>
  error instanceof ApiError && error.status === status;
