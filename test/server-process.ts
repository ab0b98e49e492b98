import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../webhook/main.ts", import.meta.url));

/** The real server in a process of its own, as it runs in a cluster. */
export interface ServerProcess {
  /** https://127.0.0.1:port */
  readonly admission: string;
  /** http://127.0.0.1:port */
  readonly config: string;
  readonly process: ChildProcess;
  /** Everything that it has logged, one parsed line each. */
  readonly log: readonly Record<string, unknown>[];
  /** Sends a signal, SIGTERM unless told otherwise, and waits for the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const START_MS = 15_000;

/** Starts the server and waits until both listeners answer; rejects with what it said if it ends before. */
export async function startServer(settingsFile: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN, "--settings", settingsFile], { stdio: ["ignore", "pipe", "pipe"] });
  const log: Record<string, unknown>[] = [];
  const addresses = new Map<unknown, string>();
  let errors = "";
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error(`the server did not start within ${START_MS} ms`)), START_MS);
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const entry: Record<string, unknown> = JSON.parse(line);
      log.push(entry);
      if (entry.msg === "listening") addresses.set(entry.listener, `${entry.address}`);
      if (addresses.size === 2) resolve();
    }
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const ended = once(child, "exit");
  void ended.then(([code]) => reject(new Error(`the server ended with ${code}: ${errors.trim()}`)));
  try {
    await listening;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    clearTimeout(late);
  }
  return {
    admission: addresses.get("https") ?? "",
    config: addresses.get("http") ?? "",
    process: child,
    log,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null) child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}
