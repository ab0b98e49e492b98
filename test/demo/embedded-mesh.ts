import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";

const SAMPLE = fileURLToPath(new URL("../../manifests/samples/embedded/", import.meta.url));

/** A copy of the sample mesh and its settings, to be edited at will. */
export interface EmbeddedMesh {
  /** For the server: any free ports, certificates in the copy. */
  readonly settingsFile: string;
  readonly caFile: string;
  /** Replaces a file of the mesh as an editor does, by renaming. */
  write(file: string, text: string): Promise<void>;
  read(file: string): Promise<string>;
  remove(): Promise<void>;
}

export async function copyEmbeddedMesh(): Promise<EmbeddedMesh> {
  const folder = await mkdtemp(join(tmpdir(), "smc-webhook-"));
  await cp(SAMPLE, folder, { recursive: true });
  const settingsFile = join(folder, "settings.yaml");
  const settings = parse(await readFile(settingsFile, "utf8"));
  settings.listen.https.port = 0;
  settings.listen.http.port = 0;
  settings.certificates.folder = "tls";
  settings.shutdown.drainSeconds = 0;
  await writeFile(settingsFile, stringify(settings));
  const path = (file: string) => join(folder, "mesh", file);
  return {
    settingsFile,
    caFile: join(folder, "tls", "ca.crt"),
    async write(file, text) {
      await writeFile(join(folder, file), text);
      await rename(join(folder, file), path(file));
    },
    read: (file) => readFile(path(file), "utf8"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
