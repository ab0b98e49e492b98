import type { FastifyInstance } from "fastify";
import type { Log } from "./log.ts";

export interface Listener {
  readonly app: FastifyInstance;
  readonly host: string;
  readonly port: number;
}

/** Starts a listener; a port that is taken or forbidden becomes an error that says which and what to do. */
export async function listen({ app, host, port }: Listener): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const advice = ADVICE.get(`${code}`);
    throw advice ? new Error(`cannot listen on ${host}:${port}: ${advice}`) : error;
  }
}

const ADVICE: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "another process has that port; end it, or set another one under listen in the settings"],
  ["EACCES", "ports below 1024 need a privilege; set another one under listen in the settings"],
  ["EADDRNOTAVAIL", "this machine does not have that address; set listen.*.host in the settings"],
  ["ENOTFOUND", "that host name has no address; set listen.*.host in the settings"],
]);

export interface Stop {
  /** Seconds during which requests are still taken. */
  readonly drainSeconds: number;
  /** Seconds after which whatever is still open is cut off. */
  readonly graceSeconds: number;
}

/**
 * Ends the listeners without a refused request: readiness has turned false by now, so for `drainSeconds` clients that
 * have not noticed are answered as ever, and asked to close their connections; then no new connection is taken, and
 * requests in flight are answered.
 */
export async function drain(apps: readonly FastifyInstance[], stop: Stop, log: Log): Promise<void> {
  log.info({ ...stop }, "stopping: not ready, requests are still answered");
  const cut = setTimeout(() => {
    log.warn("the grace period is over; open connections are cut off");
    for (const app of apps) app.server.closeAllConnections();
  }, Math.max(stop.graceSeconds, 1) * 1000);
  cut.unref();
  await new Promise((resolve) => setTimeout(resolve, Math.min(stop.drainSeconds, stop.graceSeconds) * 1000));
  await Promise.all(apps.map((app) => app.close()));
  clearTimeout(cut);
  log.info("stopped");
}
