import { post } from "../http-client.ts";

/** Makes etcd forget all old revisions: whoever watches from one of them is told 410 Gone. */
export async function compactEtcd(address: string): Promise<void> {
  const url = `http://${address}:2379/v3/kv`;
  const key = Buffer.from("/").toString("base64");
  const range = await post(`${url}/range`, { key, keys_only: true });
  const revision: unknown = range.json?.header?.revision;
  if (typeof revision !== "string") throw new Error(`etcd does not say its revision: ${range.text}`);
  const { status, text } = await post(`${url}/compaction`, { revision, physical: true });
  if (status !== 200) throw new Error(`etcd does not compact: ${text}`);
}
