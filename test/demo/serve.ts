import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** `make run`: the server on the sample mesh, in the foreground, and what to try on it. */

const MAIN = fileURLToPath(new URL("../../webhook/main.ts", import.meta.url));
const SETTINGS = fileURLToPath(new URL("../../manifests/samples/embedded/settings.yaml", import.meta.url));

const { listen } = parse(await readFile(SETTINGS, "utf8"));
const admission = `https://${listen.https.host}:${listen.https.port}`;
const config = `http://${listen.http.host}:${listen.http.port}`;

const server = spawn(process.execPath, [MAIN, "--settings", SETTINGS], { stdio: "inherit" });
const ended = once(server, "exit");
// Ctrl-C reaches the server too; this process waits for it to end in order.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => signal === "SIGTERM" && server.kill(signal));

while (server.exitCode === null && !(await ready())) await wait(100);
if (server.exitCode === null) {
  process.stdout.write(`
The server is up, on the mesh of manifests/samples/embedded/mesh. Try, in another terminal:

  curl -k ${admission}/healthz
  curl --cacert .run/tls/ca.crt ${admission}/readyz
  curl ${config}/config
  curl ${config}/nodes
  curl --data-binary @manifests/samples/fortio/fortio.yaml ${config}/explain
  curl ${config}/metrics

Edit manifests/samples/embedded/mesh/mesh.yaml (smcEnabled: false) and explain again. Ctrl-C ends the server.

`);
}
const [code] = await ended;
process.exitCode = code ?? 1;

/** Whether it is our server that answers: another one may have the port, and then ours is about to end. */
async function ready(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  get(`${config}/readyz`, (answer) => {
    answer.resume();
    resolve(answer.statusCode === 200);
  }).on("error", () => resolve(false));
  await wait(300);
  return (await promise) && server.exitCode === null;
}
