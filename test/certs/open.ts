import { X509Certificate } from "node:crypto";
import { onTestFinished, vi } from "vitest";
import type { IssuedPair } from "../../certs/issue.ts";
import { openServingCertificate, type ServingCertificateOptions } from "../../certs/serve.ts";
import { newFolder, recordingLog, replace } from "./scene.ts";

export const POLL_MS = 40;

export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 20 });
export const serialOf = (pair: { readonly cert: string }) => new X509Certificate(pair.cert).serialNumber;
export const files = ({ cert, key }: IssuedPair) => ({ "tls.crt": cert, "tls.key": key });

export async function folderWith(pair: IssuedPair): Promise<string> {
  const folder = await newFolder();
  await replace(folder, files(pair));
  return folder;
}

/** The live certificate of a folder, with its log. Closed when the test ends. */
export async function open(options: Partial<ServingCertificateOptions> & { readonly folder: string }) {
  const { log, lines } = recordingLog();
  const certificate = await openServingCertificate({ log, pollMs: POLL_MS, ...options });
  onTestFinished(() => certificate.close());
  return { certificate, lines, warnings: () => lines.filter((line) => /^(warn|error)/.test(line)) };
}
