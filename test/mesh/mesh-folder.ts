import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { Log } from "../../webhook/log.ts";
import { openEmbeddedMesh } from "../../webhook/mesh/embedded.ts";

/** An empty folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "smc-mesh-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with these files, by name. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

export interface LogLine {
  readonly level: string;
  readonly fields: unknown;
  readonly message: unknown;
}

export function recordedLog(): Log & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (fields: unknown, message?: unknown) => {
    lines.push({ level, fields, message });
  };
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Opens the mesh in a folder; it is closed after the test. */
export async function openMesh(folder: string, log: Log = recordedLog()) {
  const mesh = await openEmbeddedMesh({ folder, log });
  onTestFinished(() => mesh.close());
  return mesh;
}

/** Milliseconds until the condition holds; fails after the limit. */
export async function until(condition: () => boolean, limitMs = 3000): Promise<number> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > limitMs) throw new Error(`not so within ${limitMs} ms: ${condition}`);
    await sleep(2);
  }
  return performance.now() - start;
}

export const meshConfig = (
  enabled: unknown = true,
  name = "default",
): string => `apiVersion: istio.alibabacloud.com/v1beta1
kind: ASMMeshConfig
metadata:
  name: ${name}
spec:
  smcEnabled: ${enabled}
`;

export const node = (name: string, eligible = "true", more = ""): string => `apiVersion: v1
kind: Node
metadata:
  name: ${name}
  labels:
    kubernetes.io/hostname: ${name}
    smc.asm.alibabacloud.com/eligible: "${eligible}"
${more}`;

export const namespace = (name: string): string => `apiVersion: v1
kind: Namespace
metadata:
  name: ${name}
  labels:
    smc.asm.alibabacloud.com/injection: enabled
`;
