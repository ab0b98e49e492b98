import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { readWorkload } from "../webhook/config/workload.ts";

/**
 * Pods of others, kept beside the project and not in it: as Istio's injector leaves them, and as a real API server
 * sends them. Where the folder is missing the lists are empty and `shared` says so.
 */
const FOLDER = fileURLToPath(new URL("../../shared/fixtures/", import.meta.url));

export const shared = existsSync(FOLDER);

export interface PodFixture {
  readonly name: string;
  readonly pod: Record<string, unknown>;
}

export interface ReviewFixture {
  readonly name: string;
  readonly review: { readonly request: { readonly namespace: string; readonly object: Record<string, unknown> } };
}

/** Every pod, and every workload's pod, of `../shared/fixtures/istio-injected`. */
export function istioPods(): readonly PodFixture[] {
  return files("istio-injected", ".injected").flatMap((file) =>
    parseAllDocuments(readFileSync(file.path, "utf8"))
      .map((document) => document.toJS())
      .flatMap((object) => (object?.kind === "List" ? object.items : object ? [object] : []))
      .flatMap((object) => {
        const workload = readWorkload(object, "default");
        return workload ? [{ name: `${file.name} ${workload.kind} ${workload.name}`, pod: workload.pod as never }] : [];
      }),
  );
}

/** Every review of `../shared/fixtures/admission-reviews`. */
export function capturedReviews(): readonly ReviewFixture[] {
  return files("admission-reviews", ".json").map(({ name, path }) => ({
    name,
    review: JSON.parse(readFileSync(path, "utf8")),
  }));
}

function files(folder: string, suffix: string): readonly { readonly name: string; readonly path: string }[] {
  if (!shared) return [];
  const at = join(FOLDER, folder);
  return readdirSync(at)
    .filter((name) => name.endsWith(suffix))
    .map((name) => ({ name, path: join(at, name) }));
}
