import Type, { type Static } from "typebox";
import { Check } from "typebox/value";
import type { ClusterClient } from "../../webhook/cluster/api.ts";
import type { Selection } from "../../webhook/cluster/list.ts";
import { certificatesIn } from "../bundle.ts";
import type { Names } from "../names.ts";
import { FIELD_MANAGER, isStatus } from "./secret.ts";

const COLLECTION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

const Configuration = Type.Object({
  metadata: Type.Object({ resourceVersion: Type.String() }),
  webhooks: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        clientConfig: Type.Object({
          caBundle: Type.Optional(Type.String()),
          url: Type.Optional(Type.String()),
          service: Type.Optional(Type.Object({ name: Type.String(), namespace: Type.String() })),
        }),
      }),
    ),
  ),
});

type Webhook = NonNullable<Static<typeof Configuration>["webhooks"]>[number];

/** What the MutatingWebhookConfiguration says of us. */
export interface Published {
  readonly resourceVersion: string;
  /** Those webhooks of it that call us, with the bundles that they trust, in PEM. */
  readonly webhooks: readonly { readonly name: string; readonly bundle: string }[];
}

export interface ConfigurationStore {
  /** `MutatingWebhookConfiguration smc-webhook`, for people. */
  readonly name: string;
  /** What to watch. */
  readonly selection: Selection;
  /** Nothing where there is no such configuration. */
  read(): Promise<Published | undefined>;
  /**
   * Writes the bundle into the webhooks that call us, and no other field, if nobody has changed the configuration
   * since it was read; undefined if somebody has.
   */
  patch(published: Published, bundle: string): Promise<Published | undefined>;
}

interface ConfigurationOptions {
  readonly client: ClusterClient;
  readonly configuration: string;
  /** Which webhooks call us: those that call one of these names. */
  readonly names: Names;
  readonly signal: AbortSignal;
}

/** One MutatingWebhookConfiguration of a cluster, as far as caBundle goes. */
export function configurationStore({ client, configuration, names, signal }: ConfigurationOptions): ConfigurationStore {
  const path = `${COLLECTION}/${configuration}`;
  const name = `MutatingWebhookConfiguration ${configuration}`;

  const published = (object: unknown): Published => {
    if (!Check(Configuration, object)) throw new Error(`${name}: the API server's answer is no such object`);
    const webhooks = (object.webhooks ?? [])
      .filter((webhook) => callsOneOf(names, webhook))
      .map(({ name, clientConfig: { caBundle = "" } }) => ({
        name,
        bundle: Buffer.from(caBundle, "base64").toString(),
      }));
    return { resourceVersion: object.metadata.resourceVersion, webhooks };
  };

  return {
    name,
    selection: { path: COLLECTION, fieldSelector: `metadata.name=${configuration}` },
    async read() {
      try {
        return published(await client.request({ path, signal }));
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    },
    async patch({ resourceVersion, webhooks }, bundle) {
      const clientConfig = { caBundle: Buffer.from(bundle).toString("base64") };
      // Strategic merge: webhooks are merged by name, so no index can be another's by the time it arrives.
      const body = { metadata: { resourceVersion }, webhooks: webhooks.map(({ name }) => ({ name, clientConfig })) };
      const contentType = "application/strategic-merge-patch+json";
      const query = { fieldManager: FIELD_MANAGER };
      try {
        return published(await client.request({ method: "PATCH", path, query, body, contentType, signal }));
      } catch (error) {
        if (isStatus(error, 409) || isStatus(error, 404)) return undefined;
        throw error;
      }
    },
  };
}

function callsOneOf({ dnsNames, ipAddresses }: Names, { clientConfig: { service, url = "" } }: Webhook): boolean {
  const host = service ? `${service.name}.${service.namespace}.svc` : URL.parse(url)?.hostname.replace(/^\[|\]$/g, "");
  return host !== undefined && [...dnsNames, ...ipAddresses].includes(host);
}

/** The CAs that every webhook of ours trusts. */
export function publishedRoots({ webhooks }: Published): readonly string[] {
  const [first = [], ...others] = webhooks.map(({ bundle }) => certificatesIn(bundle));
  return first.filter((root) => others.every((roots) => roots.includes(root)));
}
