import type { AdmissionSettings } from "../settings/schema.ts";
import type { Findings } from "./findings.ts";
import type { Container, Pod } from "./pod.ts";
import { type NoticeCode, type Seen, shown } from "./reasons.ts";
import { unknownRelaxations } from "./relaxations.ts";

export interface Notice {
  readonly code: NoticeCode;
  readonly seen: Seen;
}

/** eRDMA keeps these for itself in every network namespace that can reach the device. */
const RESERVED_PORTS = { first: 65500, last: 65515 };

/** What the author of an injected pod should know. */
export function notices(findings: Findings, settings: AdmissionSettings): readonly Notice[] {
  const { pod, sidecar, placement, recorded, others } = findings;
  const found: Notice[] = [];
  if (placement.invalid !== undefined) {
    found.push({ code: "InvalidPlacement", seen: { value: shown(placement.invalid), mode: placement.mode } });
  }
  if (!sidecar) {
    found.push({ code: "NoSidecar", seen: { container: settings.sidecar.containerName } });
  }
  const ports = reservedPorts(others);
  if (ports.length > 0) found.push({ code: "ReservedPort", seen: { ports: ports.join(", ") } });
  if (ipv6Only(pod, settings)) found.push({ code: "Ipv6Only", seen: {} });
  for (const [name] of unknownRelaxations(recorded)) {
    found.push({ code: "UnknownRelaxation", seen: { relaxation: shown(name) } });
  }
  return found;
}

function reservedPorts(containers: readonly Container[]): readonly number[] {
  const ports = containers.flatMap((one) => (one.ports ?? []).map(({ containerPort }) => containerPort ?? 0));
  return [...new Set(ports)].filter((port) => port >= RESERVED_PORTS.first && port <= RESERVED_PORTS.last);
}

/** A new pod has no address yet, so its cluster's families decide, unless somebody gave it addresses. */
function ipv6Only(pod: Pod, settings: AdmissionSettings): boolean {
  const given = (pod.status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  return given.length > 0 ? given.every((ip) => ip.includes(":")) : !settings.ipFamilies.includes("IPv4");
}
