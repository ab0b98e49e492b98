import { parseArgs } from "node:util";
import { Check, Create } from "typebox/value";
import type { Log } from "../webhook/log.ts";
import { SettingsSchema } from "../webhook/settings/schema.ts";
import { keepFolder } from "./folder.ts";
import { canonicalNames } from "./names.ts";
import { entryOf } from "./reasons.ts";

const { dnsNames: dnsSchema, ipAddresses: ipSchema } = SettingsSchema.properties.certificates.properties;

const USAGE = `Usage: node certs/main.ts --folder FOLDER [--dns NAME]... [--ip ADDRESS]...

Makes or renews ca.crt, ca.key, tls.crt and tls.key in FOLDER, once.

  --folder FOLDER  where the files are; it is made if absent
  --dns NAME       a DNS name the certificate is good for; without any: ${Create(dnsSchema).join(", ")}
  --ip ADDRESS     an IP address it is good for; without any: ${Create(ipSchema).join(", ")}
  --help           this text
`;

/** Standard output is for the report; what was wrong with the folder goes to standard error. */
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (...parts: readonly unknown[]) => console.error(parts.at(-1)),
  error: (...parts: readonly unknown[]) => console.error(parts.at(-1)),
};

/** @throws Error if an argument is unknown, missing or not what it should be. */
function readArguments(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      folder: { type: "string" },
      dns: { type: "string", multiple: true },
      ip: { type: "string", multiple: true },
      help: { type: "boolean" },
    },
  });
  if (values.help) return undefined;
  if (!values.folder) throw new Error("--folder is missing: name the folder for the certificates");
  const dnsNames = values.dns ?? Create(dnsSchema);
  const odd = dnsNames.find((name) => !Check(dnsSchema.items, name));
  if (odd !== undefined) throw new Error(`--dns "${odd}" is not a DNS name: write one such as localhost`);
  return { folder: values.folder, ...canonicalNames({ dnsNames, ipAddresses: values.ip ?? Create(ipSchema) }) };
}

async function main(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments(args);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  try {
    const report = await keepFolder({ ...options, now: () => new Date(), log });
    for (const { kind, reason } of report.steps) console.log(`${kind}: ${entryOf(reason).sentence}`);
    if (report.steps.length === 0) console.log("nothing to do");
    console.log(`CA valid until ${report.caNotAfter.toISOString()}`);
    console.log(`serving certificate valid until ${report.leafNotAfter.toISOString()}`);
    console.log(`next step at ${report.lookAgain.toISOString()}: run this again then`);
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : `${error}`);

process.exitCode = await main(process.argv.slice(2));
