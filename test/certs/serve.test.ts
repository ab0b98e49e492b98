import { X509Certificate } from "node:crypto";
import { rename, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type IssuedPair, issueCa, issueLeaf } from "../../certs/issue.ts";
import { ask, serve } from "./https.ts";
import { files, folderWith, open, POLL_MS, pause, serialOf, until } from "./open.ts";
import { DAY, ecKey, HOUR, NAMES, newFolder, plus, replace } from "./scene.ts";

const now = new Date();
let ca: IssuedPair;
let first: IssuedPair;
let second: IssuedPair;

beforeAll(async () => {
  ca = await issueCa({ now });
  [first, second] = await Promise.all([
    issueLeaf({ ca, ...NAMES, now }),
    // Ends earlier than the first, to be told from it by that.
    issueLeaf({ ca, ...NAMES, now, days: 20 }),
  ]);
});

describe("an https server", () => {
  it("is trusted under every name by Node's own client", async () => {
    const { certificate } = await open({ folder: await folderWith(first) });
    const port = await serve(certificate);
    for (const servername of [...NAMES.dnsNames, "127.0.0.1"]) {
      expect(await ask({ port, ca: ca.cert, servername })).toBe(serialOf(first));
    }
    await expect(ask({ port, ca: ca.cert, servername: "other.example" })).rejects.toThrow("altnames");
  });

  it("gets a renewed pair without a failed request, on kept connections and new ones", async () => {
    const folder = await folderWith(first);
    const { certificate } = await open({ folder });
    const port = await serve(certificate);
    const failures: unknown[] = [];
    let requests = 0;
    let newest = "";
    let stop = false;
    const client = async (keep: boolean) => {
      while (!stop) {
        try {
          const serial = await ask({ port, ca: ca.cert, keep });
          if (!keep) newest = serial;
          requests++;
        } catch (error) {
          failures.push(error);
        }
      }
    };
    const clients = [client(true), client(false), client(false)];
    for (const pair of [second, first, second]) {
      await pause(50);
      await replace(folder, files(pair));
      await until(() => expect(newest).toBe(serialOf(pair)));
    }
    stop = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThan(10);
    expect(certificate.pair).toEqual(second);
    expect(certificate.notAfter).toEqual(new X509Certificate(second.cert).validToDate);
  });
});

describe("a pair that cannot be served is refused, logged once, and the last good one serves on", () => {
  it.each<[string, () => Record<string, string>, RegExp]>([
    ["another certificate's key", () => ({ "tls.key": second.key }), /tls.key is not the key of the certificate/],
    [
      "an EC key beside an RSA certificate",
      () => ({ "tls.key": ecKey() }),
      /tls.key is not the key of the certificate/,
    ],
    ["garbage", () => ({ "tls.crt": "garbage" }), /tls.crt does not start with a certificate/],
  ])("with %s", async (_, texts, message) => {
    const folder = await folderWith(first);
    const { certificate, warnings } = await open({ folder });
    const port = await serve(certificate);
    await replace(folder, texts());
    await until(() => expect(warnings()).toHaveLength(1));
    await pause(5 * POLL_MS);
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toMatch(message);
    expect(certificate.check()).toEqual({
      ok: true,
      detail: expect.stringMatching(/^valid until .*; the files are not used: /),
    });
    expect(await ask({ port, ca: ca.cert })).toBe(serialOf(first));

    await replace(folder, files(second));
    await until(() => expect(certificate.pair).toEqual(second));
    expect(certificate.check().detail).toMatch(/^valid until [^;]+$/);
  });

  it("with an expired pair, and with missing files", async () => {
    const folder = await folderWith(first);
    const { certificate, warnings } = await open({ folder });
    await replace(
      folder,
      files(await issueLeaf({ ca: await issueCa({ now: plus(now, -60 * DAY) }), ...NAMES, now: plus(now, -60 * DAY) })),
    );
    await until(() => expect(warnings()).toHaveLength(1));
    await unlink(join(folder, "tls.crt"));
    await until(() => expect(warnings()).toHaveLength(2));
    expect(warnings()[0]).toMatch(/tls.crt expired at/);
    expect(warnings()[1]).toMatch(/tls.crt cannot be read \(ENOENT\)/);
    expect(certificate.pair).toEqual(first);
  });

  it("but two files that change one after the other are no fault", async () => {
    const folder = await folderWith(first);
    const { certificate, warnings } = await open({ folder, pollMs: 200 });
    await replace(folder, { "tls.key": second.key });
    await pause(60);
    await replace(folder, { "tls.crt": second.cert });
    await until(() => expect(certificate.pair).toEqual(second));
    await pause(400);
    expect(warnings()).toEqual([]);
  });
});

it("a mounted Secret, which changes by one link, is followed", async () => {
  const folder = await newFolder();
  const [one, two] = [await folderWith(first), await folderWith(second)];
  await symlink(one, join(folder, "..data"));
  for (const name of ["tls.crt", "tls.key"]) await symlink(join("..data", name), join(folder, name));
  const { certificate, warnings } = await open({ folder });
  await symlink(two, join(folder, "..data_tmp"));
  await rename(join(folder, "..data_tmp"), join(folder, "..data"));
  await until(() => expect(certificate.pair).toEqual(second));
  expect(warnings()).toEqual([]);
});

it("a pair that is not valid yet comes into force when its time comes, though no file changes", async () => {
  const folder = await folderWith(second);
  const future = await issueLeaf({ ca, ...NAMES, now: plus(now, 5 * DAY) });
  let time = now;
  const { certificate, warnings } = await open({ folder, now: () => time });
  await replace(folder, files(future));
  await until(() => expect(warnings().join()).toMatch(/tls.crt is not valid before/));
  time = plus(now, 5 * DAY);
  await until(() => expect(certificate.pair).toEqual(future));
});

it("the check fails when the pair in force has expired, and says when it did", async () => {
  let time = now;
  const { certificate } = await open({ folder: await folderWith(first), now: () => time });
  expect(certificate.check()).toMatchObject({ ok: true });
  time = plus(now, 30 * DAY);
  expect(certificate.check()).toEqual({ ok: false, detail: expect.stringMatching(/^expired at /) });
  time = plus(now, -2 * HOUR);
  expect(certificate.check()).toEqual({ ok: false, detail: expect.stringMatching(/^not valid before .* clock$/) });
});

it("a listener that throws keeps no other from the new pair", async () => {
  const folder = await folderWith(first);
  const { certificate, lines } = await open({ folder });
  const got: string[] = [];
  certificate.onChange(() => {
    throw new Error("deaf");
  });
  certificate.onChange(({ cert }) => got.push(cert));
  await replace(folder, files(second));
  await until(() => expect(got).toEqual([second.cert]));
  expect(lines.join("\n")).toContain("could not be handed on");
});

it("nothing is followed after close", async () => {
  const folder = await folderWith(first);
  const { certificate } = await open({ folder });
  const heard = vi.fn();
  certificate.onChange(heard);
  certificate.close();
  await replace(folder, files(second));
  await pause(4 * POLL_MS);
  expect(heard).not.toHaveBeenCalled();
  expect(certificate.pair).toEqual(first);
});

describe("without issue, a start fails clearly", () => {
  it("when there are no files", async () => {
    const folder = await newFolder();
    await expect(open({ folder })).rejects.toThrow(`${join(folder, "tls.crt")} cannot be read (ENOENT)`);
  });

  it("when the pair does not belong together", async () => {
    const folder = await folderWith({ ...first, key: second.key });
    await expect(open({ folder })).rejects.toThrow(`no serving certificate: ${folder}: tls.key is not the key`);
  });
});
