import type { FastifyBaseLogger } from "fastify";
import { pino } from "pino";

/** What the parts of the program need of a logger. */
export type Log = Pick<FastifyBaseLogger, "debug" | "info" | "warn" | "error">;

export type LogLevel = "debug" | "info" | "warn" | "error";

/** JSON lines on standard output, with levels and times that a person can read. */
export function createLog(level: LogLevel, base: Readonly<Record<string, string>>) {
  return pino({
    level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
