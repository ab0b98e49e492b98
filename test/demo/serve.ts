import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** `make run`: the server on the sample mesh, in the foreground, and what to try on it. */

const MAIN = fileURLToPath(new URL("../../webhook/main.ts", import.meta.url));
const SETTINGS = fileURLToPath(new URL("../../manifests/samples/embedded/settings.yaml", import.meta.url));

const { listen } = parse(await readFile(SETTINGS, "utf8"));
const admission = `https://${listen.https.host}:${listen.https.port}`;
const config = `http://${listen.http.host}:${listen.http.port}`;

const WHAT_TO_TRY = `
The server is up, on the mesh of manifests/samples/embedded/mesh. Try, in another terminal:

  curl -k ${admission}/healthz
  curl --cacert .run/tls/ca.crt ${admission}/readyz
  curl ${config}/config
  curl ${config}/nodes
  curl --data-binary @manifests/samples/fortio/fortio.yaml ${config}/explain
  curl ${config}/metrics

Edit manifests/samples/embedded/mesh/mesh.yaml (smcEnabled: false) and explain again. Ctrl-C ends the server.

`;

const server = spawn(process.execPath, [MAIN, "--settings", SETTINGS], { stdio: ["inherit", "pipe", "inherit"] });
// Ctrl-C reaches the server too; this process waits for it to end in order.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => server.kill("SIGTERM"));
const ended = once(server, "exit");

let listening = 0;
for await (const line of createInterface(server.stdout)) {
  process.stdout.write(`${line}\n`);
  if (JSON.parse(line).msg === "listening" && ++listening === 2) process.stdout.write(WHAT_TO_TRY);
}
const [code] = await ended;
process.exitCode = code ?? 1;
