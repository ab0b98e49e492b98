import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Create } from "typebox/value";
import { expect, it } from "vitest";
import { hasNames } from "../../certs/names.ts";
import { SettingsSchema } from "../../webhook/settings/schema.ts";
import { verify } from "./openssl.ts";
import { newFolder, readAll } from "./scene.ts";

const MAIN = fileURLToPath(new URL("../../certs/main.ts", import.meta.url));

async function run(...args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args]);
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { stdout, stderr, code };
}

it.concurrent("makes the files once, for the settings' own names, and then leaves them", async () => {
  const folder = join(await newFolder(), "tls");
  const first = await run("--folder", folder);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toMatch(
    /^add-ca: there is no CA\nissue-leaf: there is no serving certificate\nCA valid until 20/,
  );
  const files = await readAll(folder);
  const { dnsNames, ipAddresses } = SettingsSchema.properties.certificates.properties;
  const names = { dnsNames: Create(dnsNames), ipAddresses: Create(ipAddresses) };
  expect(names.dnsNames).toContain("localhost");
  expect(hasNames(new X509Certificate(files["tls.crt"]), names)).toBe(true);
  expect(await verify(files["ca.crt"], files["tls.crt"])).toBe("OK");

  const second = await run("--folder", folder);
  expect(second.stdout).toMatch(/^nothing to do\n/);
  expect(await readAll(folder)).toEqual(files);
});

it.concurrent("takes names of one's own, and issues anew when they change", async () => {
  const folder = await newFolder();
  const names = ["--dns", "one.example", "--dns", "two.example", "--ip", "10.0.0.1"];
  expect(await run("--folder", folder, ...names)).toMatchObject({ code: 0 });
  const certificate = new X509Certificate((await readAll(folder))["tls.crt"]);
  expect(hasNames(certificate, { dnsNames: ["one.example", "two.example"], ipAddresses: ["10.0.0.1"] })).toBe(true);
  const changed = await run("--folder", folder, "--dns", "three.example");
  expect(changed.stdout).toMatch(/^issue-leaf: the serving certificate's names are not the wanted ones\n/);
});

it.concurrent("explains itself", async () => {
  expect(await run("--help")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: .*--folder FOLDER/) });
});

it.concurrent.each([
  [[], /^--folder is missing/],
  [["--folder", "/nowhere", "--dns", "a_b"], /^--dns "a_b" is not a DNS name/],
  [["--folder", "/nowhere", "--days", "3"], /^Unknown option '--days'/],
])("answers %j with what is wrong and the usage", async (args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr).toContain("Usage: node certs/main.ts");
});

it.concurrent("fails with the path and a remedy where it cannot write", async () => {
  // Where nobody can write, whoever runs the tests.
  expect(await run("--folder", "/proc/self")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^cannot write \/proc\/self\/ca\.key \(E[A-Z]+\): let uid \d+ write there/),
  });
});
