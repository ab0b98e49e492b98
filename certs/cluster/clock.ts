import Type from "typebox";
import { Check } from "typebox/value";
import type { ClusterClient } from "../../webhook/cluster/api.ts";

/** Milliseconds. Less than this is no fault: certificates are back-dated by more. */
const TOLERANCE_MS = 60_000;

const Stamped = Type.Object({ metadata: Type.Object({ creationTimestamp: Type.String() }) });

/** The time by which certificates are judged: the API server's, for it is the client. */
export interface ServerClock {
  /** This machine's time, put right by what the last `sync` found. */
  now(): Date;
  /** Asks the API server what time it is. Where it does not say, this machine's time counts as it is. */
  sync(): Promise<void>;
  /** How far this machine's clock is off, if it is. */
  fault(): string | undefined;
}

interface ClockOptions {
  readonly client: ClusterClient;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export function serverClock({ client, now, signal }: ClockOptions): ServerClock {
  /** Milliseconds that the API server is ahead. */
  let ahead = 0;
  return {
    now: () => new Date(now().getTime() + ahead),
    async sync() {
      const asked = now().getTime();
      const server = await askTime(client, signal);
      const difference = server === undefined ? 0 : server - (asked + now().getTime()) / 2;
      ahead = Math.abs(difference) < TOLERANCE_MS ? 0 : difference;
    },
    fault() {
      if (ahead === 0) return undefined;
      const minutes = Math.round(Math.abs(ahead) / 60_000);
      const side = ahead > 0 ? "behind" : "ahead of";
      return `this machine's clock is ${minutes} min ${side} the API server's, whose time is taken: set it right`;
    },
  };
}

/**
 * A SelfSubjectReview carries the server's time, is stored nowhere, and every account may ask for one
 * (kubernetes/kubernetes: pkg/registry/authentication/selfsubjectreview, ClusterRole system:basic-user; since 1.28).
 */
async function askTime(client: ClusterClient, signal: AbortSignal): Promise<number | undefined> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  try {
    const review = await client.request({ method: "POST", path, body, signal });
    const time = Check(Stamped, review) ? Date.parse(review.metadata.creationTimestamp) : Number.NaN;
    return Number.isNaN(time) ? undefined : time;
  } catch {
    return undefined;
  }
}
