import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Outcome {
  /** What it ended with; -1 if a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs a command to its end, whatever that is. @throws Error if there is no such command. */
export async function attempt(
  command: string,
  args: readonly string[],
  { stdin, env, cwd }: CommandOptions = {},
): Promise<Outcome> {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A command may end without having read what it was given.
  child.stdin.on("error", () => undefined).end(stdin);
  const [code]: unknown[] = await once(child, "close");
  return { code: typeof code === "number" ? code : -1, stdout, stderr };
}

/** Runs a command that must succeed, and gives its output. @throws Error with the command and what it said. */
export async function run(command: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, args, options);
  if (code === 0) return stdout;
  throw new Error(`${[command, ...args].join(" ")} ended with ${code}: ${(stderr || stdout).trim()}`);
}
