import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attempt } from "../command.ts";
import { isExecutable } from "./folder.ts";
import { type Binary, KUBERNETES, SOURCES } from "./versions.ts";

const MODULE = fileURLToPath(new URL(".", import.meta.url));
/** Where Go's own instructions put it; distributions put it on PATH. */
const USUAL_GO = "/usr/local/go/bin/go";
const GO_NEEDED = "Go 1.26 or newer is needed (1.21 fetches it by itself): install it as its project's site says";

/** @throws Error if there is no Go that can build the module. */
export async function findGo(): Promise<string> {
  const onPath = await attempt("sh", ["-c", "command -v go"]);
  const go = onPath.stdout.trim() || USUAL_GO;
  if (!isExecutable(go)) throw new Error(`Go is missing. ${GO_NEEDED}, so that \`go version\` works`);
  const { code, stderr } = await attempt(go, ["env", "GOVERSION"], { cwd: MODULE, env: environment() });
  if (code !== 0) throw new Error(`this Go is too old: ${stderr.trim()}. ${GO_NEEDED}`);
  return go;
}

/** Fetches the source of all that is built; go.sum says what it must be. @throws Error if it cannot be had. */
export async function fetchModules(go: string): Promise<void> {
  const args = ["list", "-deps", "-f", "{{.Name}}", ...Object.values(SOURCES).map((source) => source.package)];
  const { code, stderr } = await attempt(go, args, { cwd: MODULE, env: environment() });
  if (code === 0) return;
  throw new Error(
    `the Go modules cannot be fetched; it needs a Go module proxy (\`go env GOPROXY\`):\n${tail(stderr)}`,
  );
}

/** Builds one binary into a folder. It is there whole, or not at all. @throws Error with what the compiler said. */
export async function build(go: string, name: Binary, folder: string): Promise<void> {
  const unfinished = join(folder, `.${name}.${process.pid}`);
  const args = ["build", "-trimpath", "-ldflags", linkerFlags(), "-o", unfinished, SOURCES[name].package];
  try {
    // Others use this machine too.
    const { code, stderr } = await attempt("nice", [go, ...args], { cwd: MODULE, env: environment() });
    if (code !== 0) throw new Error(`${name} cannot be built:\n${tail(stderr)}`);
    await rename(unfinished, join(folder, name));
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Without these a binary calls itself v0.0.0, and kubectl and the API server find each other too far apart. */
function linkerFlags(): string {
  const [major, minor] = KUBERNETES.split(".");
  const values = { gitVersion: `v${KUBERNETES}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const packages = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];
  const set = packages.flatMap((each) => Object.entries(values).map(([name, value]) => `-X ${each}.${name}=${value}`));
  return ["-s", "-w", ...set].join(" ");
}

/** As the project builds its own: no C. And nothing of the user's that would change what is built. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" };
}

const tail = (text: string) => text.trim().split("\n").slice(-15).join("\n");
