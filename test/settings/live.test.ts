import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Log } from "../../webhook/log.ts";
import { openSettings } from "../../webhook/settings/live.ts";
import { DEFAULTS } from "../../webhook/settings/load.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "smc-settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function fileOf(text: string): string {
  const file = join(temporaryFolder(), "settings.yaml");
  writeFileSync(file, text);
  return file;
}

function recordedLog(): Log & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const at = (level: string) => (fields: unknown, message?: unknown) => {
    lines.push(`${level}: ${message ?? fields}`);
  };
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function open(file: string | undefined, log: Log = recordedLog()) {
  const settings = openSettings({ file, log, pollMs: 200 });
  onTestFinished(() => settings.close());
  return settings;
}

async function until(condition: () => boolean): Promise<void> {
  const limit = performance.now() + 3000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`not so within 3 s: ${condition}`);
    await sleep(5);
  }
}

const level = (name: string): string => `log: { level: ${name} }\n`;

describe("at the start", () => {
  it("the defaults are in force where there is no file", () => {
    const settings = open(undefined);
    expect(settings.current).toBe(DEFAULTS);
    expect(settings.fault).toBeUndefined();
  });

  it("a missing file is an error that names it", () => {
    const file = join(temporaryFolder(), "settings.yaml");
    expect(() => open(file)).toThrow(`the settings file ${file} does not exist`);
  });

  it("a file with faults is an error that lists them", () => {
    const file = fileOf("zebra: 1\nlog: { level: loud }\n");
    expect(() => open(file)).toThrow(`${file}:1: zebra: unknown key`);
    expect(() => open(file)).toThrow(`${file}:2: log.level: found "loud"`);
  });

  it("a folder in the file's place is an error, too", () => {
    const folder = temporaryFolder();
    expect(() => open(folder)).toThrow("cannot be read");
  });
});

describe("a new version of the file", () => {
  it("comes into force, and those who listen hear of both", async () => {
    const file = fileOf(level("info"));
    const settings = open(file);
    const heard: string[] = [];
    settings.onChange((now, before) => heard.push(`${before.log.level} to ${now.log.level}`));
    const loadedAt = settings.loadedAt;
    writeFileSync(file, level("debug"));
    await until(() => settings.current.log.level === "debug");
    expect(heard).toEqual(["info to debug"]);
    expect(settings.loadedAt.getTime()).toBeGreaterThan(loadedAt.getTime());
  });

  it("is heard of when it comes by a rename, as a ConfigMap's swapped link, or behind a link", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "settings.yaml");
    writeFileSync(file, level("info"));
    const settings = open(file);
    writeFileSync(`${file}.new`, level("warn"));
    renameSync(`${file}.new`, file);
    await until(() => settings.current.log.level === "warn");

    const swap = (text: string) => {
      const version = mkdtempSync(join(folder, "..2026_"));
      writeFileSync(join(version, "settings.yaml"), text);
      symlinkSync(version, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
      return version;
    };
    swap(level("error"));
    symlinkSync("..data/settings.yaml", `${file}.new`);
    renameSync(`${file}.new`, file);
    await until(() => settings.current.log.level === "error");
    const version = swap(level("debug"));
    await until(() => settings.current.log.level === "debug");
    writeFileSync(join(version, "settings.yaml"), level("info"));
    await until(() => settings.current.log.level === "info");
  });

  it("with a fault is refused and reported once, and the old one stays until it is mended", async () => {
    const file = fileOf(level("warn"));
    const log = recordedLog();
    const settings = open(file, log);
    writeFileSync(file, "log: { level: loud }\n");
    await until(() => settings.fault !== undefined);
    expect(settings.fault).toContain(`${file}:1: log.level: found "loud"`);
    expect(settings.current.log.level).toBe("warn");
    await sleep(450);
    expect(log.lines.filter((line) => line.startsWith("error"))).toHaveLength(1);
    writeFileSync(file, level("debug"));
    await until(() => settings.current.log.level === "debug");
    expect(settings.fault).toBeUndefined();
  });

  it("that is gone leaves the old one in force, and says so", async () => {
    const file = fileOf(level("warn"));
    const settings = open(file);
    rmSync(file);
    await until(() => settings.fault !== undefined);
    expect(settings.fault).toContain("does not exist");
    expect(settings.current.log.level).toBe("warn");
    writeFileSync(file, level("warn"));
    await until(() => settings.fault === undefined);
  });

  it("is not believed while it is half-written: no defaults in between", async () => {
    const file = fileOf(level("warn"));
    const settings = open(file);
    const heard: string[] = [];
    settings.onChange((now) => heard.push(now.log.level));
    for (const name of ["error", "debug"]) {
      writeFileSync(file, "");
      await sleep(30);
      writeFileSync(file, "log:");
      await sleep(30);
      writeFileSync(file, level(name));
      await until(() => settings.current.log.level === name);
    }
    expect(heard).toEqual(["error", "debug"]);
    expect(settings.fault).toBeUndefined();
  });

  it("that says the same in other words is no change", async () => {
    const file = fileOf(level("warn"));
    const settings = open(file);
    let heard = 0;
    settings.onChange(() => heard++);
    const before = settings.current;
    const loadedAt = settings.loadedAt;
    writeFileSync(file, `# why\n${level("warn")}`);
    await until(() => settings.loadedAt > loadedAt);
    expect(settings.current).toBe(before);
    expect(heard).toBe(0);
  });

  it("says which changes wait for the next start", async () => {
    const file = fileOf("");
    const log = recordedLog();
    const settings = open(file, log);
    writeFileSync(file, "listen: { http: { port: 9090 } }\nmesh: { folder: other }\nplacement: { weight: 1 }\n");
    await until(() => settings.current.placement.weight === 1);
    expect(log.lines.filter((line) => line.startsWith("warn"))).toEqual([
      "warn: the change in listen takes effect at the next start",
      "warn: the change in mesh takes effect at the next start",
    ]);
  });

  it("reaches every listener, also behind one that fails", async () => {
    const file = fileOf(level("warn"));
    const log = recordedLog();
    const settings = open(file, log);
    let heard = 0;
    settings.onChange(() => {
      throw new Error("cannot");
    });
    settings.onChange(() => heard++);
    writeFileSync(file, level("debug"));
    await until(() => heard === 1);
    expect(log.lines).toContain("error: a part of the service did not take the new settings");
  });

  it("is not looked at after close", async () => {
    const file = fileOf(level("warn"));
    const settings = open(file);
    settings.close();
    writeFileSync(file, level("debug"));
    await sleep(400);
    expect(settings.current.log.level).toBe("warn");
  });
});
