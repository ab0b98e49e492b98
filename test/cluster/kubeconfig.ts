import { writeFile } from "node:fs/promises";

export interface Access {
  /** https://address */
  readonly server: string;
  /** PEM */
  readonly ca: string;
  readonly token: string;
  readonly namespace?: string;
}

/** Writes a kubeconfig file, readable by its owner alone, and gives its path back. JSON is YAML too. */
export async function writeKubeconfig(file: string, { server, ca, token, namespace }: Access): Promise<string> {
  const cluster = { server, "certificate-authority-data": Buffer.from(ca).toString("base64") };
  const context = { cluster: "test", user: "user", ...(namespace !== undefined && { namespace }) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "test", context }],
    "current-context": "test",
  };
  await writeFile(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return file;
}
