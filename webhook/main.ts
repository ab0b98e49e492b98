import { parseArgs } from "node:util";
import { openCertificate } from "../certs/open.ts";
import packageFile from "../package.json" with { type: "json" };
import { admit } from "./admission/admit.ts";
import { drain, listen } from "./lifecycle.ts";
import { createLog } from "./log.ts";
import { openMesh } from "./mesh/open.ts";
import { createMetrics, observe } from "./metrics.ts";
import { admissionServer, configServer } from "./server.ts";
import type { Service } from "./service.ts";
import { openSettings } from "./settings/live.ts";

const USAGE = `usage: node webhook/main.ts [--settings FILE]

The admission webhook and its config service. Without a settings file every setting has its default; the README
lists them. It ends on SIGTERM or SIGINT, and at once on a second one.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { settings: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const base = { name: packageFile.name, version: packageFile.version };
  const log = createLog("info", base);
  const settings = openSettings({ file: values.settings, log });
  const { listen: addresses, certificates, mesh: meshSettings } = settings.current;
  log.level = settings.current.log.level;
  settings.onChange((now) => {
    log.level = now.log.level;
  });

  const now = () => new Date();
  const metrics = createMetrics();
  const certificate = await openCertificate({ ...certificates, kubeconfig: meshSettings.kubeconfig }, log);
  const mesh = await openMesh(meshSettings, log);
  observe(metrics, mesh, certificate, now);

  let stopping = false;
  const service: Service = {
    version: packageFile.version,
    settings,
    mesh,
    certificate,
    metrics,
    log,
    now,
    stopping: () => stopping,
    admit,
  };
  const listeners = [
    { name: "https", app: admissionServer(service), ...addresses.https },
    { name: "http", app: configServer(service), ...addresses.http },
  ];
  const apps = listeners.map(({ app }) => app);

  const stop = async () => {
    await drain(apps, settings.current.shutdown, log);
    await mesh.close();
    certificate.close();
    settings.close();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      void stop().then(() => process.exit(0), fail);
    });
  }

  for (const listener of listeners) {
    log.info({ listener: listener.name, address: await listen(listener) }, "listening");
  }
}

/** The last word of a start that failed: for a person, without a stack that says nothing to them. */
function fail(error: unknown): never {
  process.stderr.write(`smc-webhook: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}

main().catch(fail);
