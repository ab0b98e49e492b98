import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Log } from "../../webhook/log.ts";

export const NAMES = { dnsNames: ["smc-webhook.smc-system.svc", "localhost"], ipAddresses: ["127.0.0.1", "::1"] };
export const FILES = ["ca.crt", "ca.key", "tls.crt", "tls.key"] as const;

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const plus = (date: Date, milliseconds: number) => new Date(date.getTime() + milliseconds);

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A folder of this test's own, removed when its file's tests have ended. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certs-"));
  folders.push(folder);
  return folder;
}

/** A log that keeps what it is told, as `level message`. */
export function recordingLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const record =
    (level: string) =>
    (...parts: readonly unknown[]) =>
      void lines.push(
        `${level} ${parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ")}`,
      );
  const log = { debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") };
  return { log, lines };
}

/** Replaces files one after the other, each by a rename. */
export async function replace(folder: string, texts: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(join(folder, "incoming"), text);
    await rename(join(folder, "incoming"), join(folder, name));
  }
}

export async function readAll(folder: string): Promise<Record<(typeof FILES)[number], string>> {
  const [caCrt, caKey, tlsCrt, tlsKey] = await Promise.all(FILES.map((name) => readFile(join(folder, name), "utf8")));
  return { "ca.crt": caCrt ?? "", "ca.key": caKey ?? "", "tls.crt": tlsCrt ?? "", "tls.key": tlsKey ?? "" };
}

export const ecKey = () =>
  generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  }).privateKey;
