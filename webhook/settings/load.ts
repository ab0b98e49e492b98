import { dirname, resolve } from "node:path";
import Value from "typebox/value";
import { crossChecks } from "./cross-checks.ts";
import { readDocument } from "./document.ts";
import { pathText, type SettingsFault } from "./fault.ts";
import { type Settings, SettingsSchema } from "./schema.ts";
import { type FieldFault, walkSettings } from "./walk.ts";

/** Either settings that are complete and sound, or everything that keeps the file from being so. */
export type ParsedSettings = { readonly settings: Settings } | { readonly faults: readonly SettingsFault[] };

/** More than a person mends at once only hides the first. */
const MAX_FAULTS = 10;

/**
 * Reads the text of a settings file; what it does not say takes its default. Relative paths start at the file's folder.
 * Never throws.
 *
 * @example
 * const parsed = parseSettings("placement: { mode: require }", "/etc/smc-webhook/settings.yaml");
 * if ("faults" in parsed) console.error(parsed.faults.map(faultLine).join("\n"));
 */
export function parseSettings(text: string, file: string): ParsedSettings {
  const document = readDocument(text);
  if ("faults" in document) {
    return { faults: document.faults.slice(0, MAX_FAULTS).map((fault) => ({ file, path: "", ...fault })) };
  }
  const refused = (faults: readonly FieldFault[]): ParsedSettings => ({
    faults: faults
      .map(({ path, message }) => ({ file, line: document.lineOf(path), path: pathText(path), message }))
      .sort((one, other) => one.line - other.line)
      .slice(0, MAX_FAULTS),
  });

  const { value, faults } = walkSettings(document.root);
  if (faults.length > 0) return refused(faults);
  // The walk has checked every field; this tells the compiler, and stands guard over the walk.
  if (!Value.Check(SettingsSchema, value))
    return refused([{ path: [], message: "the settings do not fit the schema" }]);
  const mismatches = crossChecks(value);
  if (mismatches.length > 0) return refused(mismatches);
  return { settings: withPaths(value, dirname(file)) };
}

function withPaths(settings: Settings, start: string): Settings {
  const { mesh, certificates } = settings;
  const optional = (path: string) => (path === "" ? "" : resolve(start, path));
  return {
    ...settings,
    mesh: {
      ...mesh,
      folder: resolve(start, mesh.folder),
      kubeconfig: optional(mesh.kubeconfig),
      controlPlaneKubeconfig: optional(mesh.controlPlaneKubeconfig),
    },
    certificates: { ...certificates, folder: resolve(start, certificates.folder) },
  };
}

/** The settings in force where no file says otherwise. */
export const DEFAULTS: Settings = defaults();

function defaults(): Settings {
  const { value } = walkSettings(null);
  if (!Value.Check(SettingsSchema, value)) throw new Error("a default in the settings schema is not valid");
  return value;
}
