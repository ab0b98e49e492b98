import type { ServingCertificate } from "../certs/serve.ts";
import type { admit } from "./admission/admit.ts";
import type { Log } from "./log.ts";
import type { MeshView } from "./mesh/view.ts";
import type { Metrics } from "./metrics.ts";
import type { Settings } from "./settings/schema.ts";

/** What the routes work with. Settings, mesh and certificate change while the service runs. */
export interface Service {
  /** Of the program, for the status annotation and /config. */
  readonly version: string;
  readonly settings: { readonly current: Settings; readonly loadedAt: Date; readonly fault: string | undefined };
  readonly mesh: MeshView;
  readonly certificate: ServingCertificate;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => Date;
  /** Becomes true when the service has been told to stop. */
  readonly stopping: () => boolean;
  /** The decision; given, so that a test can put one in its place that fails. */
  readonly admit: typeof admit;
}
