import { expect, it } from "vitest";
import { keepFolder } from "../../certs/folder.ts";
import type { Reason } from "../../certs/reasons.ts";
import { at, verify } from "./openssl.ts";
import { DAY, HOUR, NAMES, newFolder, plus, readAll, recordingLog } from "./scene.ts";

it("over two years every client that holds the bundle of the step before trusts the leaf of the step after", async () => {
  const folder = await newFolder();
  const { log, lines } = recordingLog();
  const start = new Date("2026-01-01T00:00:00Z");
  const end = plus(start, 730 * DAY);
  const seen = new Map<Reason, number>();
  let bundle: string | undefined;
  let largest = 0;
  for (let now = start; now < end; ) {
    const report = await keepFolder({ folder, ...NAMES, now: () => now, log });
    for (const { reason } of report.steps) seen.set(reason, (seen.get(reason) ?? 0) + 1);
    const files = await readAll(folder);
    const verified = await verify(bundle ?? files["ca.crt"], files["tls.crt"], at(now));
    expect(verified, `${now.toISOString()} after ${JSON.stringify(report.steps)}`).toBe("OK");
    bundle = files["ca.crt"];
    largest = Math.max(largest, bundle.split("BEGIN CERTIFICATE").length - 1);
    expect(report.lookAgain > now).toBe(true);
    // A week late, as after a long outage, but for the steps that are minutes apart.
    now = plus(report.lookAgain, report.lookAgain < plus(now, HOUR) ? 0 : 7 * DAY);
  }
  expect(seen.get("ca-aging")).toBe(2);
  expect(seen.get("leaf-older-ca")).toBe(2);
  expect(seen.get("ca-unused")).toBe(2);
  expect(seen.get("leaf-aging")).toBeGreaterThan(20);
  expect([...seen.keys()].sort()).toEqual(
    ["ca-aging", "ca-unused", "leaf-aging", "leaf-missing", "leaf-older-ca", "no-ca"].sort(),
  );
  expect(largest).toBe(2);
  expect(lines.filter((line) => !line.startsWith("info"))).toEqual([]);
});
