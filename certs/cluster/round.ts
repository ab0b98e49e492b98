import { ApiError } from "../../webhook/cluster/api.ts";
import { certificatesIn } from "../bundle.ts";
import { readPair } from "../pair.ts";
import type { HeldPair } from "../pair-in-force.ts";
import type { ServerClock } from "./clock.ts";
import type { ConfigurationStore } from "./configuration.ts";
import { describe, type PartFaults } from "./faults.ts";
import type { Surroundings } from "./material.ts";
import type { Publisher } from "./publish.ts";
import type { SecretStore, StoredSecret } from "./secret.ts";
import { createTrust, type Publication } from "./trust.ts";

/** The part that is at fault where there is no answer at all. */
const SERVER = "server";

export interface RoundParts {
  readonly secret: SecretStore;
  /** Where to publish the Secret's bundle, and what does it; absent where that is somebody else's matter. */
  readonly configuration: ConfigurationStore | undefined;
  readonly publisher: Publisher | undefined;
  /** Brings the Secret to where it should be, if that is our matter. */
  keep(first: StoredSecret | undefined, surroundings: () => Surroundings): Promise<StoredSecret | undefined>;
  readonly clock: ServerClock;
  readonly faults: PartFaults;
  /** Aborted when all ends: what fails then is no fault. */
  readonly signal: AbortSignal;
  /** The pair in force, but for a stand-in. */
  served(): HeldPair | undefined;
  serve(pair: HeldPair): void;
  /** Milliseconds after which to keep the Secret again where that was refused. */
  refusedMs(): number;
}

export interface RoundOutcome {
  /** The API server answers. */
  readonly reached: boolean;
  /** The caBundle is still to be published, after so many milliseconds. */
  readonly againMs?: number | undefined;
}

/** One look at everything, and what follows from it: keep the Secret, publish its bundle, serve its pair. */
export function secretRound(parts: RoundParts): () => Promise<RoundOutcome> {
  const { secret, configuration, publisher, keep, clock, faults, signal, served, serve, refusedMs } = parts;
  const trust = createTrust();
  /** The bundle of the last Secret that was in order. */
  let remembered: readonly string[] = [];
  let keepAfter = 0;
  let reached = true;
  let answered = true;

  /** What the work returns, or nothing where it fails: a fault of that part, until it succeeds. */
  const attempt = async <T>(part: string, work: () => Promise<T>): Promise<{ readonly value: T } | undefined> => {
    try {
      const value = await work();
      faults.set(part, undefined);
      return { value };
    } catch (error) {
      if (signal.aborted) return undefined;
      answered = error instanceof ApiError;
      if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) reached = false;
      faults.set(answered ? part : SERVER, describe(error));
      return undefined;
    }
  };

  const look = async (): Promise<Publication> => {
    if (!configuration) return "off";
    const read = await attempt("caBundle", configuration.read);
    if (!read) return "unknown";
    const { name } = configuration;
    const callers = read.value?.webhooks.length ?? 0;
    const nothing = read.value
      ? `no webhook of ${name} calls a name of this certificate: correct certificates.dnsNames, or the webhook`
      : `${name} is not there: apply it, or empty certificates.webhookConfiguration`;
    faults.set("webhooks", callers > 0 ? undefined : nothing);
    return read.value && callers > 0 ? read.value : "absent";
  };

  const surroundings = (): Surroundings => ({
    pair: served()?.pair,
    trusted: [...remembered, ...trust.roots()],
    publishedAt: (ca) => trust.publishedAt(ca, clock.now()),
    changedAt: (leaf) => trust.changedAt(leaf, clock.now()),
  });

  const kept = async (stored: StoredSecret | undefined): Promise<StoredSecret | undefined> => {
    if (performance.now() < keepAfter) return stored;
    const outcome = await attempt("renewal", () => keep(stored, surroundings));
    if (!outcome) keepAfter = performance.now() + refusedMs();
    else if (outcome.value) remembered = certificatesIn(outcome.value.texts["ca.crt"]);
    const missing = `${secret.name} is not there: set certificates.issue, or let its keeper write it`;
    faults.set("absent", outcome && !outcome.value ? missing : undefined);
    return outcome ? outcome.value : stored;
  };

  const publish = async (publication: Publication, { texts }: StoredSecret): Promise<number | undefined> => {
    if (!publisher || typeof publication === "string") return undefined;
    const outcome = await attempt("publishing", () => publisher.publish(publication, texts["ca.crt"]));
    faults.set("rivals", publisher.fault());
    if (outcome) trust.saw(outcome.value.published, clock.now());
    return outcome?.value.againMs;
  };

  const adopt = async ({ texts }: StoredSecret): Promise<void> => {
    let reading = readPair(texts["tls.crt"], texts["tls.key"], clock.now());
    if (!reading.ok && (reading.fault === "expired" || reading.fault === "not-yet-valid")) {
      await clock.sync();
      reading = readPair(texts["tls.crt"], texts["tls.key"], clock.now());
    }
    faults.set("pair", reading.ok ? undefined : `${secret.name} is not used: ${reading.detail}`);
    if (!reading.ok) return;
    const now = clock.now();
    const current = served()?.certificate;
    const same = current?.raw.equals(reading.certificate.raw);
    const waits = current && !same && now < current.validToDate && trust.holdsBack(reading.certificate, current, now);
    faults.set(
      "order",
      waits ? `the pair of ${secret.name} waits until its CA has been in caBundle for a while` : undefined,
    );
    if (!waits) serve(reading);
  };

  return async () => {
    reached = answered = true;
    if (clock.fault()) await clock.sync();
    // Before the Secret is read: see Publisher.
    const publication = await look();
    trust.saw(publication, clock.now());
    // Where one request has no answer, the next has none either.
    const read = answered && (await attempt("secret", secret.read));
    if (!read) return { reached };
    faults.set(SERVER, undefined);
    const stored = await kept(read.value);
    const againMs = stored && (await publish(publication, stored));
    if (stored) await adopt(stored);
    faults.set("clock", clock.fault());
    return { reached, againMs };
  };
}
