import { isIP } from "node:net";
import { shown } from "./fault.ts";
import type { Settings } from "./schema.ts";
import type { FieldFault } from "./walk.ts";

/** What no schema can say: that two settings go together, that an address is one. */
type Check = (settings: Settings) => readonly FieldFault[];

const hosts: Check = ({ listen }) =>
  (["https", "http"] as const).flatMap((name) => {
    const { host } = listen[name];
    const looksLikeAddress = host.includes(":") || /^[0-9.]+$/.test(host);
    if (!looksLikeAddress || isIP(host) !== 0) return [];
    const message = `found ${shown(host)}, which is no valid IP address; accepted: an IP address or a host name`;
    return [{ path: ["listen", name, "host"], message }];
  });

const ports: Check = ({ listen }) => {
  if (listen.http.port !== listen.https.port || listen.http.port === 0) return [];
  const message = `found ${listen.http.port}, which is listen.https.port too; accepted: another port, or 0`;
  return [{ path: ["listen", "http", "port"], message }];
};

const addresses: Check = ({ certificates }) =>
  certificates.ipAddresses.flatMap((address, index) => {
    if (isIP(address) !== 0) return [];
    const message = `found ${shown(address)}, which is no valid IP address; accepted: an IP address`;
    return [{ path: ["certificates", "ipAddresses", index], message }];
  });

const certificateNames: Check = ({ certificates: { issue, dnsNames, ipAddresses } }) => {
  if (!issue || dnsNames.length > 0 || ipAddresses.length > 0) return [];
  const message =
    "found true with neither a DNS name nor an IP address; accepted: at least one in certificates.dnsNames or certificates.ipAddresses, or issue: false";
  return [{ path: ["certificates", "issue"], message }];
};

const publishedNames: Check = ({ certificates: { source, webhookConfiguration, dnsNames, ipAddresses } }) => {
  if (source !== "secret" || webhookConfiguration === "" || dnsNames.length > 0 || ipAddresses.length > 0) return [];
  const message = `found ${shown(webhookConfiguration)} with no name that its webhooks could call; accepted: at least one in certificates.dnsNames or certificates.ipAddresses, or ""`;
  return [{ path: ["certificates", "webhookConfiguration"], message }];
};

const families: Check = ({ ipFamilies }) =>
  ipFamilies.length > 0
    ? []
    : [{ path: ["ipFamilies"], message: "found an empty list; accepted: a list of IPv4, IPv6 or both" }];

const shutdownOrder: Check = ({ shutdown: { drainSeconds, graceSeconds } }) =>
  drainSeconds < graceSeconds
    ? []
    : [
        {
          path: ["shutdown", "drainSeconds"],
          message: `found ${drainSeconds}; accepted: less than shutdown.graceSeconds, which is ${graceSeconds}`,
        },
      ];

const CHECKS: readonly Check[] = [hosts, ports, addresses, certificateNames, publishedNames, families, shutdownOrder];

/** The faults of settings that satisfy the schema. */
export const crossChecks = (settings: Settings): readonly FieldFault[] => CHECKS.flatMap((check) => check(settings));
