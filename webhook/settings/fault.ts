import { fieldPath } from "../field-path.ts";

/** What is wrong with a settings file, for the person who has to mend it. */
export interface SettingsFault {
  readonly file: string;
  readonly line: number;
  /** `initContainer.image`, `ipFamilies[0]`; empty where the fault is with the file as a whole. */
  readonly path: string;
  /** What was found, and what is accepted. */
  readonly message: string;
}

/** One line: `settings.yaml:3: initContainer.image: found "A B"; accepted: …`. */
export function faultLine({ file, line, path, message }: SettingsFault): string {
  return `${file}:${line}: ${path === "" ? "" : `${path}: `}${message}`;
}

const MAX_SHOWN = 60;

/** A value as a message shows it: on one line, and short. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** `ipFamilies[0]`, `initContainer.sysctls["net.ipv4.tcp_rmem"]`. */
export function pathText(path: readonly (string | number)[]): string {
  return fieldPath(path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""));
}
