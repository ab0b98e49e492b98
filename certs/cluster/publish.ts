import type { Log } from "../../webhook/log.ts";
import { bundleOf, certificatesIn } from "../bundle.ts";
import type { ConfigurationStore, Published } from "./configuration.ts";

/** So many patches within this time are no rotation: somebody else writes the field again and again. */
const FIGHT = { patches: 10, withinMs: 60_000 };

export interface PublishOptions {
  readonly store: ConfigurationStore;
  /** The least time between two patches, in milliseconds: an adversary costs no more than that. */
  readonly gapMs: number;
  readonly log: Log;
}

export interface Publisher {
  /**
   * Publishes the bundle where it differs from what was read, and returns what is published then.
   *
   * `published` must have been read before the Secret that the bundle is from: a patch counts only if nobody has
   * changed the configuration since, so an older bundle never replaces a newer one.
   *
   * @throws ApiError, Error as the store does
   */
  publish(published: Published, bundle: string): Promise<PublishOutcome>;
  /** That somebody else writes the field too, if it looks so. */
  fault(): string | undefined;
}

export interface PublishOutcome {
  readonly published: Published;
  /** The bundle is not published yet: try again after so many milliseconds. */
  readonly againMs?: number;
}

/** Publishes a CA bundle as the caBundle of every webhook that calls us. */
export function bundlePublisher({ store, gapMs, log }: PublishOptions): Publisher {
  /** When patches were made, by a clock that only goes forward. */
  let patched: number[] = [];
  const recent = () => patched.filter((time) => performance.now() - time < FIGHT.withinMs);

  return {
    async publish(published, text) {
      const roots = certificatesIn(text);
      const bundle = bundleOf(roots);
      const stale = published.webhooks.filter((webhook) => webhook.bundle !== bundle);
      // A Secret that holds no CA is no reason to take away what is published.
      if (stale.length === 0 || roots.length === 0) return { published };
      const waitMs = (patched.at(-1) ?? -Infinity) + gapMs - performance.now();
      if (waitMs > 0) return { published, againMs: waitMs };
      const after = await store.patch({ ...published, webhooks: stale }, bundle);
      if (!after) return { published, againMs: 0 };
      patched = [...recent(), performance.now()];
      log.info(
        { webhooks: stale.map(({ name }) => name), cas: roots.length },
        `certificates: caBundle published in ${store.name}`,
      );
      return { published: after };
    },
    fault() {
      if (recent().length < FIGHT.patches) return undefined;
      return `${store.name}: somebody else writes caBundle again and again; managedFields says who: let them ignore it`;
    },
  };
}
