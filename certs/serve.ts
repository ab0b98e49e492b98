import type { Log } from "../webhook/log.ts";
import { watchFolder } from "../webhook/watch.ts";
import { rememberFaults } from "./fault.ts";
import { keepFolder } from "./folder.ts";
import type { Names } from "./names.ts";
import { readPairFiles } from "./pair-files.ts";
import { holdPair, type Pair, type PairListener } from "./pair-in-force.ts";
import { startRenewal } from "./renewal.ts";

export interface ServingCertificate {
  /** The PEM pair in force. */
  readonly pair: Pair;
  readonly notAfter: Date;
  /** `ok` while the pair in force is valid. `detail` says until when, and what keeps a newer pair from being used. */
  check(): { readonly ok: boolean; readonly detail: string };
  /** Called with each new good pair; for example with what calls `httpsServer.setSecureContext`. */
  onChange(listener: PairListener): void;
  close(): void;
}

export interface ServingCertificateOptions {
  readonly folder: string;
  /** With it, the folder's certificates are issued and renewed here, for these names. */
  readonly issue?: Names | undefined;
  readonly now?: () => Date;
  readonly log: Log;
  /** How often to look at the folder when no event comes, in milliseconds. */
  readonly pollMs?: number;
}

/**
 * The live serving certificate: `tls.crt` and `tls.key` of a folder, read again when they change. A pair that cannot
 * be served is refused, and the last good one stays in force.
 *
 * @throws Error if there is no good pair at the start, or if `issue` is given and the folder cannot be kept.
 */
export async function openServingCertificate(options: ServingCertificateOptions): Promise<ServingCertificate> {
  const { folder, issue, now = () => new Date(), log, pollMs = 1000 } = options;
  const renewal = issue && (await startRenewal({ keep: () => keepFolder({ ...issue, folder, now, log }), now, log }));
  const first = await readPairFiles(folder, now());
  if (!first.ok) throw new Error(`no serving certificate: ${first.detail}`);

  const inForce = holdPair(first, log);
  let closed = false;
  const faults = rememberFaults(log);

  const read = async (timed: boolean) => {
    const reading = await readPairFiles(folder, now());
    if (closed) return;
    if (!reading.ok) return faults.found(reading.detail, timed);
    faults.gone();
    inForce.replace(reading, { folder });
  };

  let queue = Promise.resolve();
  /** One look at a time: a renewal in the middle of its writes is not taken for a fault. */
  const look = (timed: boolean) => {
    queue = queue.then(async () => {
      if (closed) return;
      if (timed && renewal?.due(faults.lasting())) await renewal.run();
      await read(timed);
    });
  };

  const watch = watchFolder(
    folder,
    () => {
      renewal?.soon();
      look(false);
    },
    { pollMs },
  );
  // What changed between the first reading and the start of the watch.
  look(false);
  const ticking = setInterval(() => {
    const idle = faults.current() === undefined && inForce.validity(now()).valid;
    if (!idle || renewal?.due(false)) look(true);
  }, pollMs);
  ticking.unref();

  return {
    get pair() {
      return inForce.current.pair;
    },
    get notAfter() {
      return inForce.current.certificate.validToDate;
    },
    check() {
      const { valid, sentence } = inForce.validity(now());
      const newer = faults.current();
      const failure = renewal?.problem();
      const problems = [newer && `the files are not used: ${newer}`, failure && `renewal fails: ${failure}`];
      return { ok: valid, detail: [sentence, ...problems.filter(Boolean)].join("; ") };
    },
    onChange: inForce.onChange,
    close() {
      closed = true;
      clearInterval(ticking);
      watch.close();
    },
  };
}
