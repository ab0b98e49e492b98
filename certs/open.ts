import { openClusterClient } from "../webhook/cluster/client.ts";
import type { Log } from "../webhook/log.ts";
import type { Settings } from "../webhook/settings/schema.ts";
import { openSecretCertificate } from "./cluster/serve.ts";
import { openServingCertificate, type ServingCertificate } from "./serve.ts";

type CertificateSettings = Settings["certificates"] & {
  /** Of the cluster that has the Secret; empty takes the pod's own. */
  readonly kubeconfig: string;
};

const SOURCES: Readonly<
  Record<CertificateSettings["source"], (settings: CertificateSettings, log: Log) => Promise<ServingCertificate>>
> = {
  folder: ({ folder, issue, dnsNames, ipAddresses }, log) =>
    openServingCertificate({ folder, log, ...(issue && { issue: { dnsNames, ipAddresses } }) }),
  secret: async ({ kubeconfig, ...settings }, log) =>
    openSecretCertificate({
      ...settings,
      log,
      client: await openClusterClient({ kubeconfig: kubeconfig || undefined }),
    }),
};

/**
 * Opens the serving certificate that the settings name.
 *
 * @throws Error where a folder has no good pair, or where the credentials of a cluster cannot be read; that a cluster
 * does not answer is said by the certificate's check
 */
export const openCertificate = (settings: CertificateSettings, log: Log): Promise<ServingCertificate> =>
  SOURCES[settings.source](settings, log);
