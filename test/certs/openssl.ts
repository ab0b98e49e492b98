import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs the system's openssl on PEM texts, each given to it as a file; a `{name}` in an argument becomes its path. */
export async function openssl(args: readonly string[], files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certs-openssl-"));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const paths = args.map((arg) => arg.replace(/^\{(.+)\}$/, (_, name: string) => join(folder, name)));
    const { stdout } = await run("/usr/bin/openssl", paths);
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a client that trusts `bundle` accepts `leaf`: "OK", or what openssl has against it. */
export async function verify(bundle: string, leaf: string, extra: readonly string[] = []): Promise<string> {
  const args = ["verify", "-x509_strict", "-purpose", "sslserver", ...extra, "-CAfile", "{ca}", "{leaf}"];
  try {
    const stdout = await openssl(args, { ca: bundle, leaf });
    return stdout.includes(": OK") ? "OK" : stdout;
  } catch (error) {
    return `${error}`;
  }
}

export const at = (date: Date) => ["-attime", String(Math.floor(date.getTime() / 1000))];
