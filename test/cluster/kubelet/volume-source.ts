import type { V1KeyToPath, V1Pod, V1Volume, V1VolumeProjection } from "@kubernetes/client-node";
import type { Api } from "../api.ts";
import { fieldOf } from "./environment.ts";
import { Unsupported } from "./image.ts";
import type { Files } from "./volume-files.ts";

/** What a volume's files come from: the API, for one pod. */
export interface Source {
  readonly api: Api;
  readonly pod: V1Pod;
  readonly podIP: string;
  /** A token that the pod's ServiceAccount has now. */
  readonly token: (audience: string | undefined, seconds: number) => Promise<string>;
}

/** Reads the files that a volume should have now. @throws Error if an object that it needs is missing. */
export async function readVolume(volume: V1Volume, source: Source): Promise<Files> {
  const { configMap, secret, projected, emptyDir } = volume;
  if (emptyDir) return {};
  if (configMap) return await readProjection({ configMap }, source);
  if (secret) {
    const { secretName = "", ...rest } = secret;
    return await readProjection({ secret: { ...rest, name: secretName } }, source);
  }
  if (!projected) throw new Unsupported(`the kind of the volume ${volume.name}`);
  const parts = (projected.sources ?? []).map((each) => readProjection(each, source));
  return Object.assign({}, ...(await Promise.all(parts)));
}

async function readProjection(projection: V1VolumeProjection, source: Source): Promise<Files> {
  const { configMap, secret, serviceAccountToken, downwardAPI } = projection;
  if (configMap) return selected(await readObject("configmaps", configMap, source), configMap.items);
  if (secret) return selected(await readObject("secrets", secret, source), secret.items);
  if (serviceAccountToken) {
    const { audience, expirationSeconds = 3_600, path } = serviceAccountToken;
    return { [path]: Buffer.from(await source.token(audience, expirationSeconds)) };
  }
  const fields = (downwardAPI?.items ?? []).map(({ path, fieldRef }) => {
    return [path, Buffer.from(fieldOf(source.pod, fieldRef?.fieldPath ?? "", source.podIP))];
  });
  if (fields.length === 0) throw new Unsupported("a volume's source");
  return Object.fromEntries(fields);
}

async function readObject(
  kind: "configmaps" | "secrets",
  { name, optional }: { readonly name?: string; readonly optional?: boolean },
  { api, pod }: Source,
): Promise<Files> {
  const path = `/api/v1/namespaces/${pod.metadata?.namespace}/${kind}/${name}`;
  if (optional && (await api.request("GET", path)).status === 404) return {};
  const { json } = await api.expect("GET", path);
  const decoded = (values: Record<string, string> | undefined, encoding: BufferEncoding) =>
    Object.entries(values ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]);
  const encoded = decoded(json.binaryData, "base64");
  return Object.fromEntries([...decoded(json.data, kind === "secrets" ? "base64" : "utf8"), ...encoded]);
}

function selected(files: Files, items: readonly V1KeyToPath[] | undefined): Files {
  if (!items) return files;
  return Object.fromEntries(items.flatMap(({ key, path }) => (files[key] ? [[path, files[key]]] : [])));
}
