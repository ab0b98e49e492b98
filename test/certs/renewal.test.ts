import { rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { keepFolder } from "../../certs/folder.ts";
import { ask, serve } from "./https.ts";
import { open, POLL_MS, pause, serialOf, until } from "./open.ts";
import { DAY, HOUR, NAMES, newFolder, plus, readAll, recordingLog } from "./scene.ts";

const now = new Date();

it("a start makes the files, and what is spoiled later heals", async () => {
  const folder = join(await newFolder(), "tls");
  const { certificate, lines } = await open({ folder, issue: NAMES });
  const port = await serve(certificate);
  const bundle = (await readAll(folder))["ca.crt"];
  expect(await ask({ port, ca: bundle })).toBe(serialOf(certificate.pair));
  const before = certificate.pair;
  await writeFile(join(folder, "tls.crt"), "garbage");
  await until(() => expect(certificate.pair).not.toEqual(before));
  expect(await ask({ port, ca: bundle })).toBe(serialOf(certificate.pair));
  expect(lines.join("\n")).toContain("leaf-certificate-unreadable");
});

it("a leaf past two thirds of its life is renewed while it serves", async () => {
  const folder = await newFolder();
  let time = plus(now, -19 * DAY);
  const { certificate, warnings } = await open({ folder, issue: NAMES, now: () => time });
  const old = certificate.pair;
  const port = await serve(certificate);
  const bundle = (await readAll(folder))["ca.crt"];
  expect(await ask({ port, ca: bundle })).toBe(serialOf(old));
  time = plus(now, 2 * DAY - HOUR);
  await until(() => expect(certificate.pair).not.toEqual(old));
  expect(certificate.notAfter > plus(now, 29 * DAY)).toBe(true);
  expect(warnings()).toEqual([]);
});

it("a renewal that fails is logged once, shown by the check, and tried again", async () => {
  const folder = await newFolder();
  await keepFolder({ folder, ...NAMES, now: () => now, log: recordingLog().log });
  let time = now;
  const { certificate, warnings } = await open({ folder, issue: NAMES, now: () => time });
  await rename(folder, `${folder}-away`);
  await writeFile(folder, "");
  onTestFinished(() => unlink(folder).catch(() => undefined));
  time = plus(now, 21 * DAY);
  await until(() => expect(certificate.check().detail).toMatch(/renewal fails: .* is not a folder/));
  expect(certificate.check().ok).toBe(true);
  time = plus(time, HOUR);
  await pause(4 * POLL_MS);
  expect(warnings().filter((line) => line.startsWith("error"))).toHaveLength(1);

  await unlink(folder);
  await rename(`${folder}-away`, folder);
  time = plus(time, HOUR);
  await until(() => expect(certificate.notAfter > plus(time, 29 * DAY)).toBe(true));
  expect(certificate.check().detail).toMatch(/^valid until [^;]+$/);
});

it("a start fails when the folder cannot be kept", async () => {
  const path = join(await newFolder(), "file");
  await writeFile(path, "");
  await expect(open({ folder: path, issue: NAMES })).rejects.toThrow(`${path} is not a folder`);
});
