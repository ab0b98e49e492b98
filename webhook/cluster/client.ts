import type { IncomingMessage } from "node:http";
import { ApiError, type ApiRequest, type ClusterClient, type WatchEvent } from "./api.ts";
import { type CredentialsOptions, openCredentials } from "./credentials.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { answerFault, connectionFault } from "./faults.ts";
import { createTransport } from "./http.ts";
import { readLines } from "./lines.ts";

export { ApiError, type ApiRequest, type ClusterClient, type WatchEvent } from "./api.ts";

export interface ClusterClientOptions extends CredentialsOptions {
  /** Milliseconds within which a request must be answered, and a watch accepted. */
  readonly timeoutMs?: number;
  /**
   * Milliseconds after which a watch without a whole event is given up: its connection may be half open. An API
   * server sends a bookmark about once a minute, if asked to, and the first within two (1.36).
   */
  readonly inactivityMs?: number;
}

/** Bytes; a page of 500 objects without their specs is 3 MB at most. */
const MAX_ANSWER = 64 * 1024 * 1024;
/** Bytes; etcd holds objects of 1.5 MB, and JSON may write them longer. */
const MAX_EVENT = 8 * 1024 * 1024;
/** Seconds after which the server shall end a watch; a random part is added, so that not all come back at once. */
const WATCH_SECONDS = 240;

/**
 * A client of the cluster that a kubeconfig names, or of the one that this process runs in. Credentials that the
 * server refuses are read once more before the refusal counts: a token may have been replaced.
 *
 * @throws Error where no credentials are found; whether the server answers shows with the first request.
 * @example
 * const client = await openClusterClient({ kubeconfig: "/etc/smc-webhook/mesh.kubeconfig" });
 * const node = await client.request({ path: "/api/v1/nodes/a" });
 */
export async function openClusterClient(options: ClusterClientOptions = {}): Promise<ClusterClient> {
  const { timeoutMs = 10_000, inactivityMs = 180_000 } = options;
  const credentials = await openCredentials(options);
  const transport = createTransport(credentials);
  const closing = new AbortController();

  /** The answer to a request, if it is a success. */
  const answer = async (request: ApiRequest, { signal }: Deadline): Promise<IncomingMessage> => {
    const accepted = async (): Promise<IncomingMessage> => {
      const response = await transport.send(request, signal);
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) return response;
      throw answerFault(whereOf(request), status, await readBody(response));
    };
    try {
      return await accepted();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      credentials.renew();
      return await accepted();
    }
  };

  const whereOf = ({ method = "GET", path }: ApiRequest): string => `${method} ${credentials.server}${path}`;
  const faultOf = (request: ApiRequest, error: unknown, { signal }: Deadline): Error =>
    error instanceof ApiError ? error : connectionFault(whereOf(request), signal.aborted ? signal.reason : error);

  return {
    get server() {
      return credentials.server;
    },
    async request(request) {
      const deadline = createDeadline([closing.signal, request.signal]);
      deadline.wait(timeoutMs, `no answer within ${timeoutMs / 1000} s`);
      try {
        return parseAnswer(await readBody(await answer(request, deadline)));
      } catch (error) {
        throw faultOf(request, error, deadline);
      } finally {
        deadline.done();
      }
    },
    async *watch(request, onOpen) {
      const deadline = createDeadline([closing.signal, request.signal]);
      deadline.wait(timeoutMs, `the watch was not accepted within ${timeoutMs / 1000} s`);
      const timeoutSeconds = String(Math.round(WATCH_SECONDS * (1 + Math.random() / 2)));
      const asked = { ...request, query: { timeoutSeconds, ...request.query, watch: "1" } };
      try {
        const response = await answer(asked, deadline);
        // The kernel finds a peer that is gone sooner than silence does.
        response.socket.setKeepAlive(true, 30_000);
        const silence = `no event for ${inactivityMs / 1000} s; the connection is taken for dead`;
        deadline.wait(inactivityMs, silence);
        onOpen?.();
        for await (const line of readLines(response, MAX_EVENT)) {
          deadline.wait(inactivityMs, silence);
          yield parseEvent(line);
        }
      } catch (error) {
        throw faultOf(request, error, deadline);
      } finally {
        deadline.done();
      }
    },
    close() {
      closing.abort(new Error("the client was closed"));
      transport.close();
    },
  };
}

async function readBody(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > MAX_ANSWER) throw new Error(`the answer is longer than ${MAX_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseAnswer(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Error("the answer is not JSON; is this an API server?");
  }
}

const EVENT_TYPES: ReadonlySet<unknown> = new Set<WatchEvent["type"]>([
  "ADDED",
  "MODIFIED",
  "DELETED",
  "BOOKMARK",
  "ERROR",
]);

const isEvent = (value: unknown): value is WatchEvent =>
  typeof value === "object" && value !== null && "object" in value && "type" in value && EVENT_TYPES.has(value.type);

function parseEvent(line: string): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    throw new Error("a line of the watch is not JSON");
  }
  if (!isEvent(event)) throw new Error("a line of the watch is no watch event");
  return event;
}
