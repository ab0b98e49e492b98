import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../webhook/log.ts";
import { advance } from "../advance.ts";
import { bundleOf, certificatesIn } from "../bundle.ts";
import { renewalTime } from "../lifetime.ts";
import { type Names, withNamesOf } from "../names.ts";
import { type Material, planNext, readLeaf } from "../plan.ts";
import { entryOf, type Reason } from "../reasons.ts";
import type { ServerClock } from "./clock.ts";
import { materialOf, type Surroundings, textsOf } from "./material.ts";
import { KEYS, type SecretStore, type StoredSecret, type Texts } from "./secret.ts";

/** More than one for every replica that there may be: each attempt that fails is one that another has won. */
const MOST_ATTEMPTS = 20;

export interface KeepOptions {
  readonly store: SecretStore;
  readonly names: Names;
  readonly clock: ServerClock;
  readonly surroundings: () => Surroundings;
  /** Milliseconds, up to which a write is put off by chance, so that not all replicas make keys for the same one. */
  readonly spreadMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Brings the Secret to where the plan wants it, from whatever is there, and returns it. `first` is the Secret as it
 * was just read. Another process may do the same at the same time: who is late reads what the other has written, and
 * plans anew.
 *
 * @throws ApiError, Error as the store does
 */
export async function keepSecret(options: KeepOptions, first: StoredSecret | undefined): Promise<StoredSecret> {
  const { store, names, clock, surroundings, spreadMs, signal, log } = options;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const stored = attempt === 0 ? first : await store.read();
    const material = materialOf(stored?.texts, surroundings(), clock.now());
    const wanted = namesFor(material, names, clock.now());
    const atRest = planNext(material, wanted, clock.now()).kind === "wait";
    if (stored && atRest && sameTexts(stored.texts, textsOf(material))) return stored;
    if (attempt === 0) {
      // What seems to be wrong may be this machine's clock, and what is wrong another replica may be mending.
      await clock.sync();
      await sleep(Math.random() * spreadMs, undefined, { signal, ref: false });
      continue;
    }
    const advanced = await advance(material, wanted, clock.now());
    const written = await store.write(textsOf(advanced.material), stored);
    if (!written) continue;
    for (const { kind, reason } of stepsTaken(stored, material, advanced.steps)) {
      const { sentence, routine } = entryOf(reason);
      log[routine ? "info" : "warn"](
        { secret: store.name, step: kind, reason },
        `certificates: ${kind} because ${sentence}`,
      );
    }
    return written;
  }
  throw new Error(`${store.name} is changed faster than it can be kept: see who else writes it`);
}

/**
 * While a roll-out changes the names, old and new replicas want different ones: a leaf good for both ends what would
 * be a tug of war. The next renewal has the names of whoever makes it.
 */
function namesFor(material: Material, names: Names, now: Date): Names {
  const leaf = readLeaf(material, now);
  return leaf.ok && now < renewalTime(leaf.certificate) ? withNamesOf(leaf.certificate, names) : names;
}

const sameTexts = (one: Texts, other: Texts) => KEYS.every((key) => one[key] === other[key]);

type Steps = readonly { readonly kind: string; readonly reason: Reason }[];

/** What was written, with what no step of the plan tells: content that was put back. */
function stepsTaken(stored: StoredSecret | undefined, material: Material, steps: Steps): Steps {
  const [before, after] = [stored?.texts, textsOf(material)];
  const lost =
    bundleOf(certificatesIn(before?.["ca.crt"] ?? "")) !== after["ca.crt"] ||
    (before?.["tls.crt"] ?? "") !== after["tls.crt"] ||
    (before?.["tls.key"] ?? "") !== after["tls.key"];
  if (lost) return [{ kind: "restore", reason: "content-lost" }, ...steps];
  return steps.length > 0 ? steps : [{ kind: "clean-bundle", reason: "bundle-text" }];
}
