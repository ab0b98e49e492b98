/**
 * A Kubernetes API server, as far as this program needs one: requests with JSON bodies, and streams of watch events.
 */
export interface ClusterClient {
  /** The server's URL, for people. */
  readonly server: string;
  /** Sends one request. Rejects with ApiError for an answer that is no success, with Error where there is no answer. */
  request(request: ApiRequest): Promise<unknown>;
  /**
   * Opens a watch and yields its events, one JSON document a line, until the server ends it. Rejects with ApiError
   * where the server refuses it, and with Error where the connection breaks or stays silent for too long. `onOpen` is
   * called when the server has accepted the watch, which may be long before the first event.
   */
  watch(request: ApiRequest, onOpen?: () => void): AsyncIterable<WatchEvent>;
  /** Ends what is under way, and every connection. */
  close(): void;
}

export interface ApiRequest {
  /** GET, unless told otherwise. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root: `/api/v1/nodes`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the body; `application/json` unless told otherwise. */
  readonly contentType?: string;
  /** What the answer may be; `application/json` unless told otherwise. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: unknown;
}

/** An answer that is no success: Kubernetes' Status. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** Kubernetes' word for it: NotFound, Conflict, Forbidden, Expired. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.reason = reason;
  }
}
