import { isIP } from "node:net";
import { INIT_CONTAINER } from "../admission/names.ts";
import { parseQuantity } from "../admission/quantity.ts";
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

/** Our own container is not the mesh's, and the sidecar does not lead the list that ours follows. */
const containerNames: Check = ({ sidecar: { containerName, initContainerNames } }) => {
  const accepted = "accepted: the name of a container of the mesh's";
  const taken = initContainerNames.flatMap((name, index) =>
    name === INIT_CONTAINER || name === containerName
      ? [{ path: ["sidecar", "initContainerNames", index], message: `found ${shown(name)}; ${accepted}, not ${name}` }]
      : [],
  );
  const own = { path: ["sidecar", "containerName"], message: `found ${shown(containerName)}; ${accepted}` };
  return containerName === INIT_CONTAINER ? [own, ...taken] : taken;
};

/** In whole units: a container with 16 bytes of memory, where 16Mi was meant, never starts. */
const SIZES = {
  cpu: { from: 0.001, to: 16, words: "from 1m to 16" },
  memory: { from: 4 * 1024 ** 2, to: 4 * 1024 ** 3, words: "from 4Mi to 4Gi" },
} as const;

const sizes: Check = ({ initContainer }) =>
  (["cpu", "memory"] as const).flatMap((name) => {
    const { from, to, words } = SIZES[name];
    const amount = Number(parseQuantity(initContainer[name])?.nanos ?? 0n) / 1e9;
    if (amount >= from && amount <= to) return [];
    const message = `found ${shown(initContainer[name])}; accepted: a quantity ${words}`;
    return [{ path: ["initContainer", name], message }];
  });

/** Kubernetes refuses a container that adds SYS_ADMIN and forbids privilege escalation, and so would refuse the pod. */
const sysAdmin: Check = ({ relaxations: { capabilities, allowPrivilegeEscalation } }) =>
  capabilities.includes("SYS_ADMIN") && allowPrivilegeEscalation !== "on"
    ? [
        {
          path: ["relaxations", "capabilities"],
          message: "found SYS_ADMIN; accepted: with relaxations.allowPrivilegeEscalation: on alone",
        },
      ]
    : [];

const imagePort: Check = ({ initContainer: { image } }) => {
  const port = Number(/^[^/]*:([0-9]+)\//.exec(image)?.[1] ?? 0);
  if (port <= 65535) return [];
  return [{ path: ["initContainer", "image"], message: `found port ${port}; accepted: a port up to 65535` }];
};

const CHECKS: readonly Check[] = [
  hosts,
  ports,
  addresses,
  certificateNames,
  publishedNames,
  containerNames,
  sizes,
  sysAdmin,
  imagePort,
  families,
  shutdownOrder,
];

/** The faults of settings that satisfy the schema. */
export const crossChecks = (settings: Settings): readonly FieldFault[] => CHECKS.flatMap((check) => check(settings));
