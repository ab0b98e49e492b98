import http, { type IncomingMessage } from "node:http";
import https, { type RequestOptions } from "node:https";
import type { ApiRequest } from "./api.ts";
import type { Credentials } from "./credentials.ts";

/** Sends requests over connections that are kept. */
export interface Transport {
  /** Resolves when the answer's head is there. */
  send(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** Milliseconds after which an idle connection is closed; an API server keeps them for longer. */
const IDLE_MS = 30_000;

export function createTransport(credentials: Credentials): Transport {
  const kept = { keepAlive: true, timeout: IDLE_MS };
  const schemes = {
    "http:": { request: http.request, agent: new http.Agent(kept) },
    "https:": { request: https.request, agent: new https.Agent(kept) },
  };

  const attempt = (request: ApiRequest, options: RequestOptions, signal: AbortSignal): Promise<IncomingMessage> => {
    const query = new URLSearchParams(request.query).toString();
    const url = new URL(`${credentials.server}${request.path}${query === "" ? "" : `?${query}`}`);
    const { request: open, agent } = schemes[url.protocol === "http:" ? "http:" : "https:"];
    const method = request.method ?? "GET";
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    return new Promise((resolve, reject) => {
      const outgoing = open(url, {
        agent,
        ...options,
        method,
        signal,
        headers: {
          accept: request.accept ?? "application/json",
          "user-agent": "smc-webhook",
          ...(body !== undefined && {
            "content-type": request.contentType ?? "application/json",
            "content-length": Buffer.byteLength(body),
          }),
          ...trimmed(options.headers),
        },
      });
      let answered = false;
      outgoing.on("response", (response) => {
        answered = true;
        resolve(response);
      });
      outgoing.on("error", (error) => {
        // The server may have closed a kept connection at the moment it was used again.
        const stale = !answered && outgoing.reusedSocket && "code" in error && error.code === "ECONNRESET";
        if (stale && method === "GET") attempt(request, options, signal).then(resolve, reject);
        else reject(error);
      });
      outgoing.end(body);
    });
  };

  return {
    async send(request, signal) {
      return attempt(request, await unlessAborted(credentials.options(), signal), signal);
    },
    close() {
      for (const { agent } of Object.values(schemes)) agent.destroy();
    },
  };
}

/** A token's file may end with a line break, which no header may hold. */
const trimmed = (headers: RequestOptions["headers"]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]));

/** An exec plugin may never end. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const refuse = () => reject(signal.reason);
    if (signal.aborted) refuse();
    signal.addEventListener("abort", refuse, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", refuse));
  });
}
