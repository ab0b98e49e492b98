import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterClient } from "../../webhook/cluster/api.ts";
import type { Selection } from "../../webhook/cluster/list.ts";
import { watchObjects } from "../../webhook/cluster/watch.ts";
import type { Log } from "../../webhook/log.ts";
import { canonicalNames, type Names } from "../names.ts";
import type { ServingCertificate } from "../serve.ts";
import { serverClock } from "./clock.ts";
import { configurationStore } from "./configuration.ts";
import { rememberPartFaults } from "./faults.ts";
import { keepSecret } from "./keep.ts";
import { createPauses } from "./pauses.ts";
import { bundlePublisher } from "./publish.ts";
import { secretRound } from "./round.ts";
import { runRounds } from "./rounds.ts";
import { secretStore } from "./secret.ts";
import { heldLater } from "./stand-in.ts";

/** Milliseconds after which the service starts without a serving certificate, and says so. */
const START_MS = 2000;

export interface SecretCertificateOptions extends Names {
  /** Of the cluster that has the Secret. It is closed with the certificate. */
  readonly client: ClusterClient;
  readonly namespace: string;
  readonly secret: string;
  /** Whether the Secret is kept here. If not, somebody else keeps it, and it is only read. */
  readonly issue: boolean;
  /** The MutatingWebhookConfiguration in which to publish `ca.crt`; without a name, somebody else does that. */
  readonly webhookConfiguration?: string | undefined;
  readonly now?: () => Date;
  readonly log: Log;
  /** How often to look when no event comes, in milliseconds; other pauses are in proportion. */
  readonly pollMs?: number;
}

/**
 * The live serving certificate of a Secret that all replicas share: `tls.crt` and `tls.key`, followed as they change.
 * With `issue` the replicas keep it together, `ca.crt` (the bundle, newest first) and `ca.key` included; with
 * `webhookConfiguration` they publish the bundle as the caBundle of the webhooks that call us, before any leaf needs
 * it. A pair that cannot be served is refused, and the last good one stays in force.
 *
 * Where there is no pair within two seconds (the API server does not answer, say), it starts with a stand-in that no
 * client trusts, `check()` is not ok and says why, and the first good pair is swapped in like any other.
 *
 * @throws Error if a name is none.
 */
export async function openSecretCertificate(options: SecretCertificateOptions): Promise<ServingCertificate> {
  const { client, issue, webhookConfiguration, now = () => new Date(), log, pollMs = 4000 } = options;
  const names = issue ? canonicalNames(options) : options;
  const closing = new AbortController();
  const { signal } = closing;
  const secret = secretStore({ ...options, signal });
  const configuration = webhookConfiguration
    ? configurationStore({ client, configuration: webhookConfiguration, names, signal })
    : undefined;
  const clock = serverClock({ client, now, signal });
  const faults = rememberPartFaults(log);
  const pair = heldLater(log, { secret: secret.name });

  const refused = createPauses(pollMs, 15 * pollMs);
  const round = secretRound({
    secret,
    configuration,
    publisher: configuration && bundlePublisher({ store: configuration, gapMs: pollMs / 4, log }),
    keep: async (first, surroundings) => {
      if (!issue) return first;
      const spreadMs = pair.served() ? pollMs / 2 : 0;
      const kept = await keepSecret({ store: secret, names, clock, surroundings, spreadMs, signal, log }, first);
      refused.reset();
      return kept;
    },
    clock,
    faults,
    signal,
    served: pair.served,
    serve(next) {
      if (!signal.aborted) pair.serve(next);
    },
    refusedMs: refused.next,
  });

  const unreached = createPauses(pollMs / 8, 4 * pollMs);
  const rounds = runRounds(async () => {
    try {
      const { reached, againMs = pollMs * (0.9 + Math.random() / 5) } = await round();
      if (reached) unreached.reset();
      return reached ? againMs : unreached.next();
    } catch (error) {
      log.error({ err: error }, "certificates: an internal error; they are looked at again soon");
      return unreached.next();
    }
  }, signal);
  const follow = (selection: Selection) =>
    watchObjects({
      client,
      log,
      ...selection,
      metadataOnly: true,
      read: () => undefined,
      // Replicas hear of a change at the same moment, and one patch is enough.
      deliver: () => rounds.within((Math.random() * pollMs) / 16),
    });
  const watches = [secret, ...(configuration ? [configuration] : [])].map(({ selection }) => follow(selection));

  await Promise.race([rounds.first, sleep(START_MS)]);
  const { inForce } = await pair.orStandIn(clock.now());
  return {
    get pair() {
      return inForce.current.pair;
    },
    get notAfter() {
      return inForce.current.certificate.validToDate;
    },
    check() {
      const { valid, sentence } = inForce.validity(clock.now());
      const serving = pair.served() !== undefined;
      const state = serving ? sentence : "there is no serving certificate yet";
      return { ok: serving && valid, detail: [state, ...faults.all()].join("; ") };
    },
    onChange: inForce.onChange,
    close() {
      closing.abort(new Error("the certificate was closed"));
      for (const watch of watches) void watch.close();
      client.close();
    },
  };
}
