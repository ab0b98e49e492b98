import { request as http, type OutgoingHttpHeaders } from "node:http";
import { type Agent, request as https } from "node:https";

export interface Sent {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** PEM; without it any certificate is taken. */
  readonly ca?: string;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON, to be looked into; undefined where it is none. */
  readonly json: ReturnType<typeof JSON.parse>;
}

/** Sends one request over a real socket. */
export function send(url: string, { method = "GET", headers = {}, body, ca, agent }: Sent = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // Node's client does not say how long the body of a DELETE is, unless it is told.
  const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
  const all = { ...length, ...headers };
  const options = { method, headers: all, ...(agent && { agent }) };
  const secure = url.startsWith("https:");
  const sent = secure
    ? https(url, { ...options, ...(ca ? { ca } : { rejectUnauthorized: false }) })
    : http(url, { method, headers: all });
  sent.on("response", (answer) => {
    const parts: Buffer[] = [];
    answer.on("data", (part: Buffer) => parts.push(part));
    answer.on("error", reject);
    answer.on("end", () => {
      const text = Buffer.concat(parts).toString("utf8");
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: parsed(text) });
    });
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

export function post(url: string, body: unknown, sent: Sent = {}): Promise<Answer> {
  const text = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return send(url, {
    method: "POST",
    ...sent,
    headers: { "content-type": "application/json", ...sent.headers },
    body: text,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
