import { Agent } from "node:https";
import { type Answer, send } from "../http-client.ts";
import type { Access } from "./kubeconfig.ts";

export interface Api {
  /**
   * Sends a request to the API server. A body is sent as JSON; that of a PATCH says what is applied, unless told
   * otherwise.
   *
   * @throws Error if the API server cannot be reached. A refusal is an answer.
   */
  request(method: string, path: string, body?: unknown, patch?: Patch): Promise<Answer>;
  /** The same, for what must succeed. @throws Error with the API server's own message. */
  expect(method: string, path: string, body?: unknown, patch?: Patch): Promise<Answer>;
  close(): void;
}

const PATCHES = {
  /** Server-side apply: it creates, changes and repeats without harm. */
  apply: "application/apply-patch+yaml",
  merge: "application/merge-patch+json",
  "strategic-merge": "application/strategic-merge-patch+json",
} as const;
export type Patch = keyof typeof PATCHES;

/** A client of the API server, for one user. As many requests at once as its connections, the rest waits. */
export function connect({ server, ca, token }: Access, connections = 32): Api {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const api: Api = {
    async request(method, path, body, patch = "apply") {
      const headers = {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        "user-agent": "cluster-for-tests",
        ...(body !== undefined && { "content-type": method === "PATCH" ? PATCHES[patch] : "application/json" }),
      };
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      return await send(`${server}${path}`, { method, headers, ca, agent, ...content });
    },
    async expect(method, path, body, patch) {
      const answer = await api.request(method, path, body, patch);
      if (answer.status < 300) return answer;
      throw new Error(`${method} ${path}: ${answer.status} ${answer.json?.message ?? answer.text}`);
    },
    close: () => agent.destroy(),
  };
  return api;
}
