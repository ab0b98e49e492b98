import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { type FakeObject, openStore } from "./fake-store.ts";

/** A request that the fake was sent. */
export interface Seen {
  readonly at: number;
  readonly kind: "list" | "watch" | "other";
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
}

/** Answers in the fake's place; returns whether it did. */
export type Interception = (seen: Seen, response: ServerResponse, request: IncomingMessage) => boolean;

/**
 * A fake: it stands in for an API server where a fault is wanted that a real one cannot be made to show. Lists are
 * paged, watches go on at a resourceVersion, and both answer 410 for what was compacted; all over real sockets.
 */
export interface FakeApiServer {
  readonly url: string;
  readonly requests: readonly Seen[];
  /** Open watches, newest last. */
  readonly watches: readonly OpenWatch[];
  intercept: Interception | undefined;
  /** Paths of collections that the server does not know. */
  readonly unknown: Set<string>;
  put(path: string, object: FakeObject): void;
  remove(path: string, name: string): void;
  /** The newest resourceVersion. */
  readonly version: string;
  /** Forgets all events, and all lists that are being paged. */
  compact(): void;
  /** Sends each open watch a bookmark. */
  bookmark(): void;
  /** Stops listening and cuts all connections; what is stored stays. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
}

export interface OpenWatch {
  readonly path: string;
  /** Writes bytes to the client as they are. */
  write(bytes: string): void;
  /** Ends the answer as a server does whose time for a watch is over. */
  end(): void;
  /** Cuts the connection. */
  cut(): void;
}

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const store = openStore();
  const requests: Seen[] = [];
  const watches: (OpenWatch & { readonly response: ServerResponse })[] = [];
  const sockets = new Set<Socket>();

  const refuse = (response: ServerResponse, code: number, reason: string, message: string) => {
    response.writeHead(code, { "content-type": "application/json" });
    response.end(JSON.stringify(statusObject(code, reason, message)));
  };
  const list = ({ path, query }: Seen, response: ServerResponse) => {
    const page = store.list(path, query);
    if (!page) return refuse(response, 410, "Expired", "The provided continue parameter is too old");
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(page));
  };
  const watch = ({ path, query }: Seen, response: ServerResponse) => {
    const from = Number(query.get("resourceVersion"));
    const send = (line: string) => response.write(`${line}\n`);
    if (store.forgot(from)) return refuse(response, 410, "Expired", `too old resource version: ${from}`);
    response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    const unsubscribe = store.subscribe(path, query, from, send);
    const over = () => {
      unsubscribe();
      if (watches.includes(open)) watches.splice(watches.indexOf(open), 1);
    };
    const open = {
      path,
      response,
      write: (bytes: string) => void response.write(bytes),
      end() {
        over();
        response.end();
      },
      cut() {
        over();
        response.socket?.resetAndDestroy();
      },
    };
    watches.push(open);
    response.on("close", over);
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://fake");
    const kind = request.method !== "GET" ? "other" : url.searchParams.has("watch") ? "watch" : "list";
    const { pathname: path, searchParams: query } = url;
    const seen: Seen = { at: performance.now(), kind, path, query, headers: request.headers };
    requests.push(seen);
    if (fake.intercept?.(seen, response, request)) return;
    if (fake.unknown.has(path)) response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
    else if (kind === "watch") watch(seen, response);
    else if (kind === "list") list(seen, response);
    else refuse(response, 405, "MethodNotAllowed", "the fake only lists and watches");
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });

  let port = 0;
  const fake: FakeApiServer = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    requests,
    watches,
    intercept: undefined,
    unknown: new Set(),
    put: store.put,
    remove: store.remove,
    get version() {
      return store.version();
    },
    compact: store.compact,
    bookmark() {
      for (const { response } of watches) response.write(`${store.bookmark()}\n`);
    },
    async down() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
    async up() {
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      const address = server.address();
      if (isInternet(address)) port = address.port;
    },
  };
  await fake.up();
  onTestFinished(async () => {
    if (server.listening) await fake.down();
  });
  return fake;
}

/** Kubernetes' Status. */
export const statusObject = (code: number, reason: string, message: string) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  message,
  reason,
  code,
});

const isInternet = (address: AddressInfo | string | null): address is AddressInfo =>
  typeof address === "object" && address !== null;
