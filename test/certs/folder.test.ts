import { chmod, mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { keepFolder } from "../../certs/folder.ts";
import { type IssuedPair, issueCa, issueLeaf } from "../../certs/issue.ts";
import { readPair } from "../../certs/pair.ts";
import { at, verify } from "./openssl.ts";
import { DAY, FILES, HOUR, MINUTE, NAMES, newFolder, plus, readAll, recordingLog } from "./scene.ts";

const start = new Date("2026-01-01T00:00:00Z");
type Files = Readonly<Record<(typeof FILES)[number], string>>;
let old: Files;
/** Both CAs published, and the leaf already of the new one. */
let rotated: Files;
let other: IssuedPair;

beforeAll(async () => {
  const later = plus(start, 10 * MINUTE);
  const [a, b] = await Promise.all([issueCa({ now: start }), issueCa({ now: start })]);
  const [leafA, leafB] = await Promise.all([
    issueLeaf({ ca: a, ...NAMES, now: start }),
    issueLeaf({ ca: b, ...NAMES, now: later }),
  ]);
  old = { "ca.crt": a.cert, "ca.key": a.key, "tls.crt": leafA.cert, "tls.key": leafA.key };
  rotated = { "ca.crt": b.cert + a.cert, "ca.key": b.key, "tls.crt": leafB.cert, "tls.key": leafB.key };
  other = b;
});

async function folderWith(files: Partial<Files>): Promise<string> {
  const folder = await newFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function keep(folder: string, now: Date) {
  const { log, lines } = recordingLog();
  const report = await keepFolder({ folder, ...NAMES, now: () => now, log });
  return { report, lines, reasons: report.steps.map(({ reason }) => reason) };
}

async function expectServes(folder: string, now: Date) {
  const files = await readAll(folder);
  expect(readPair(files["tls.crt"], files["tls.key"], now)).toMatchObject({ ok: true });
  expect(await verify(files["ca.crt"], files["tls.crt"], at(now))).toBe("OK");
  expect((await keep(folder, now)).reasons).toEqual([]);
}

describe("an absent folder", () => {
  it("is made for this user alone, with keys that nobody else reads", async () => {
    const folder = join(await newFolder(), "deep", "tls");
    const { report, lines, reasons } = await keep(folder, start);
    expect(reasons).toEqual(["no-ca", "leaf-missing"]);
    expect(report).toMatchObject({ caNotAfter: plus(start, 365 * DAY), leafNotAfter: plus(start, 30 * DAY) });
    expect(lines.filter((line) => !line.startsWith("info"))).toEqual([]);
    const modes = await Promise.all([".", ...FILES].map(async (name) => (await stat(join(folder, name))).mode & 0o777));
    expect(modes).toEqual([0o700, 0o644, 0o600, 0o644, 0o600]);
    expect((await readdir(folder)).sort()).toEqual([...FILES]);
    await expectServes(folder, start);
  });
});

describe("a folder that is well", () => {
  it.concurrent.each([
    ["at once", 0],
    ["with a clock an hour ahead", HOUR],
    ["with a clock an hour behind", -HOUR],
  ])("is left as it is %s", async (_, offset) => {
    const folder = await folderWith(old);
    expect((await keep(folder, plus(start, offset))).reasons).toEqual([]);
    expect(await readAll(folder)).toEqual(old);
  });
});

describe("a folder that is not well mends itself and says so", () => {
  const cases: readonly (readonly [string, () => Files, readonly string[]])[] = [
    ["garbage in ca.crt", () => ({ ...old, "ca.crt": "\0garbage" }), ["no-ca", "leaf-untrusted"]],
    ["garbage in ca.key", () => ({ ...old, "ca.key": "garbage" }), ["ca-key-unusable"]],
    ["garbage in tls.crt", () => ({ ...old, "tls.crt": "garbage" }), ["leaf-certificate-unreadable"]],
    ["garbage in tls.key", () => ({ ...old, "tls.key": "" }), ["leaf-key-unreadable"]],
    ["another's key in tls.key", () => ({ ...old, "tls.key": other.key }), ["leaf-mismatch"]],
    ["text behind the bundle", () => ({ ...old, "ca.crt": `${old["ca.crt"]}-----BEGIN` }), ["bundle-text"]],
    [
      "a block cut short before the bundle",
      () => ({ ...old, "ca.crt": `${old["ca.crt"].slice(0, 300)}\n${old["ca.crt"]}` }),
      ["bundle-text"],
    ],
  ];
  it.concurrent.each(cases)("from %s", async (_, files, expected) => {
    const folder = await folderWith(files());
    const { reasons, lines } = await keep(folder, start);
    expect(reasons).toEqual(expected);
    expect(lines.filter((line) => line.startsWith("warn")).join("\n")).toContain(expected.at(-1));
    await expectServes(folder, start);
  });

  it.concurrent.each(FILES)("from a missing %s", async (name) => {
    const { [name]: _, ...rest } = old;
    const folder = await folderWith(rest);
    expect((await keep(folder, start)).reasons).not.toEqual([]);
    await expectServes(folder, start);
  });

  it("from certificates of a clock that was two hours ahead", async () => {
    const folder = await folderWith(old);
    const now = plus(start, -2 * HOUR);
    expect((await keep(folder, now)).reasons).toEqual(["ca-not-yet-valid", "leaf-not-yet-valid"]);
    await expectServes(folder, now);
    expect((await keep(folder, plus(now, 10 * MINUTE))).reasons).toEqual(["ca-unused"]);
  });

  it("from two years without a run", async () => {
    const folder = await folderWith(old);
    const now = plus(start, 730 * DAY);
    expect((await keep(folder, now)).reasons).toEqual(["ca-expired", "leaf-expired", "ca-expired"]);
    await expectServes(folder, now);
  });

  it("from two processes that made it at the same time", async () => {
    const folder = await newFolder();
    await Promise.all([keep(folder, start), keep(folder, start)]);
    await keep(folder, start);
    await expectServes(folder, start);
  });

  it("and a lost CA key does not take the leaf away from clients that hold the old bundle", async () => {
    const { "ca.key": _, ...rest } = old;
    const folder = await folderWith(rest);
    await keep(folder, plus(start, DAY));
    const files = await readAll(folder);
    expect(files["tls.crt"]).toBe(old["tls.crt"]);
    expect(files["ca.crt"].endsWith(old["ca.crt"])).toBe(true);
  });
});

describe("a crash between any two writes", () => {
  const subsets = Array.from({ length: 16 }, (_, bits) => FILES.filter((_name, index) => (bits >> index) & 1));
  it.concurrent.each(
    subsets.map((names) => [names.join(", ") || "nothing", names] as const),
  )("that left %s new and the rest old is mended by the next run", async (_, names) => {
    const now = plus(start, 15 * MINUTE);
    const folder = await folderWith({ ...old, ...Object.fromEntries(names.map((name) => [name, rotated[name]])) });
    await keep(folder, now);
    await expectServes(folder, now);
  });

  it.concurrent.each([
    ["the new CA's key", ["ca.key"]],
    ["the new CA's key and the bundle", ["ca.key", "ca.crt"]],
  ] as const)("after %s leaves old clients a leaf that they trust", async (_, names) => {
    const folder = await folderWith({ ...old, ...Object.fromEntries(names.map((name) => [name, rotated[name]])) });
    await keep(folder, plus(start, MINUTE));
    expect(await verify(old["ca.crt"], (await readAll(folder))["tls.crt"], at(start))).toBe("OK");
  });

  it("in the middle of one leaves a temporary file, which goes when it is a minute old", async () => {
    const folder = await folderWith(old);
    const [mine, foreign] = [".ca.key.0123456789ab.tmp", ".ca.key.swp"];
    for (const name of [mine, foreign]) {
      await writeFile(join(folder, name), "");
      await utimes(join(folder, name), start, start);
    }
    await keep(folder, plus(start, MINUTE));
    expect(await readdir(folder)).toContain(mine);
    await keep(folder, plus(start, MINUTE + 1000));
    expect(await readdir(folder)).not.toContain(mine);
    expect(await readdir(folder)).toContain(foreign);
  });
});

describe("what cannot be done is an error with the path and a remedy", () => {
  it("when the path is a file's", async () => {
    const path = join(await folderWith({ "ca.crt": "" }), "ca.crt");
    await expect(keep(path, start)).rejects.toThrow(`${path} is not a folder: name another`);
    await expect(keep(join(path, "tls"), start)).rejects.toThrow(
      `cannot make the folder ${join(path, "tls")} (ENOTDIR)`,
    );
  });

  it("when a file's place is taken by a folder", async () => {
    const folder = await folderWith(old);
    await rm(join(folder, "tls.key"));
    await mkdir(join(folder, "tls.key"));
    await expect(keep(folder, start)).rejects.toThrow(
      `cannot read ${join(folder, "tls.key")} (EISDIR): make it a file`,
    );
  });

  it("when a wanted name is none, before anything is written", async () => {
    const folder = join(await newFolder(), "tls");
    const { log } = recordingLog();
    const options = { folder, dnsNames: ["a b"], ipAddresses: [], now: () => start, log };
    await expect(keepFolder(options)).rejects.toThrow('"a b" is not a DNS name');
    await expect(stat(folder)).rejects.toThrow("ENOENT");
  });
});

it("a key that others may read brings a warning", async () => {
  const folder = await folderWith(old);
  for (const name of FILES) await chmod(join(folder, name), 0o600);
  await chmod(join(folder, "ca.key"), 0o640);
  const { lines } = await keep(folder, start);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`chmod 600 ${join(folder, "ca.key")}`);
});

it("no key is ever in the log", async () => {
  const folder = await folderWith({ ...old, "tls.key": old["tls.key"].slice(0, 500) });
  const { lines } = await keep(folder, start);
  expect(lines.join("\n")).not.toContain("PRIVATE");
  expect(lines.join("\n")).not.toContain(old["tls.key"].split("\n")[1]);
});
