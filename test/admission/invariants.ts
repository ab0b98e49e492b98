import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { expect } from "vitest";
import { ANNOTATION, INIT_CONTAINER, LABEL } from "../../webhook/admission/names.ts";
import { type Difference, differences } from "./differences.ts";
import { betweenRounds } from "./model/api-server.ts";
import { type PodWithResources, qosOf } from "./model/qos.ts";
import { type Asked, ask, injected, patched, settings } from "./scene.ts";

/** What must hold of every pod that is injected, whatever else is in it. Returns the canonical pod. */
export function expectCanonical(before: object, asked: Asked = {}): V1Pod {
  const snapshot = JSON.stringify(before);
  const after = injected(before, asked);
  expect(JSON.stringify(before), "the pod that was asked about is not touched").toBe(snapshot);

  expectOrder(after, asked);
  expect(qosOf(withResources(after)), "the QoS class stays").toBe(qosOf(withResources(withoutOurs(before))));
  expect(foreign(before, after, asked), "nothing else changes").toEqual([]);

  expect(ask(after, asked).patch, "the second round changes nothing").toEqual([]);
  const defaulted = betweenRounds(after, { serviceAccount: true });
  expect(ask(defaulted, asked).patch, "nor does it after the API server's defaults").toEqual([]);

  const moved = movedToEnd(after);
  expect(patched(moved, ask(moved, asked)), "moved to the end, it is brought back").toEqual(after);
  return after;
}

/** smc-init once, after the mesh's leading init containers, before the sidecar and everything that stays. */
function expectOrder(pod: V1Pod, asked: Asked): void {
  const { initContainerNames } = (asked.settings ?? settings()).sidecar;
  const list = initContainers(pod);
  const places = list.flatMap(({ name }, index) => (name === INIT_CONTAINER ? [index] : []));
  expect(places, "smc-init is there once").toHaveLength(1);
  const place = places[0] ?? -1;
  const leads = ({ name, restartPolicy }: V1Container) =>
    initContainerNames.includes(name) && restartPolicy !== "Always";
  expect(list.slice(0, place).every(leads), "only the mesh's own lead").toBe(true);
  const next = list[place + 1];
  expect(next !== undefined && leads(next), "it stands behind all that lead").toBe(false);
}

const ELIGIBLE = { key: LABEL.eligible, operator: "In", values: ["true"] };
const AFFINITY = "/spec/affinity/nodeAffinity";
const REQUIRED = `${AFFINITY}/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms`;
const PREFERRED = `${AFFINITY}/preferredDuringSchedulingIgnoredDuringExecution`;
const CONTAINER = "^/spec/(initContainers|containers)/\\d+";

/** What the webhook may do to a pod besides its init container: where, and what. */
const ALLOWED: readonly (readonly [at: RegExp, allowed: (difference: Difference) => boolean])[] = [
  [new RegExp(`^/metadata/annotations/${ANNOTATION.status.replace("/", "~1")}$`), () => true],
  [new RegExp(`^${PREFERRED}/\\d+$`), ({ after }) => same(withoutWeight(after), { matchExpressions: [ELIGIBLE] })],
  [new RegExp(`^${REQUIRED}/0$`), ({ after }) => same(after, { matchExpressions: [ELIGIBLE] })],
  [new RegExp(`^${REQUIRED}/\\d+/matchExpressions/\\d+$`), ({ after }) => same(after, ELIGIBLE)],
  [new RegExp(`${CONTAINER}/resources/limits/(cpu|memory)$`), ({ kind }) => kind === "changed"],
  [new RegExp(`${CONTAINER}/securityContext/capabilities/add/\\d+$`), ({ kind }) => kind === "added"],
  [new RegExp(`${CONTAINER}/securityContext/readOnlyRootFilesystem$`), turned(true, false)],
  [new RegExp(`${CONTAINER}/securityContext/allowPrivilegeEscalation$`), turned(false, true)],
  [new RegExp(`${CONTAINER}/securityContext/seccompProfile/`), () => true],
];

/** What has changed in a pod that the webhook may not change. */
function foreign(before: object, after: object, asked: Asked): readonly Difference[] {
  const { containerName } = (asked.settings ?? settings()).sidecar;
  const rest = withoutOurs(after);
  const named = new RegExp(CONTAINER);
  const isSidecars = (at: string) => {
    const [, , list, index] = at.split("/");
    const containers = list === "containers" ? rest.spec?.containers : rest.spec?.initContainers;
    return containers?.[Number(index)]?.name === containerName;
  };
  return differences(withoutOurs(before), rest).filter((difference) => {
    if (difference.kind === "removed" && !difference.at.includes("/seccompProfile/")) return true;
    if (named.test(difference.at) && !isSidecars(difference.at)) return true;
    return !ALLOWED.some(([at, allowed]) => at.test(difference.at) && allowed(difference));
  });
}

function turned(from: boolean, to: boolean) {
  return ({ before, after }: Difference) => before === from && after === to;
}

function withoutWeight(term: unknown): unknown {
  return typeof term === "object" && term !== null && "preference" in term ? term.preference : term;
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** The pod as it would be had the webhook's container never been there. */
function withoutOurs(pod: object): V1Pod {
  const copy: V1Pod = structuredClone(pod);
  if (!copy.spec) return copy;
  const rest = initContainers(copy).filter(({ name }) => name !== INIT_CONTAINER);
  copy.spec.initContainers = rest;
  return copy;
}

function movedToEnd(pod: V1Pod): V1Pod {
  const copy = structuredClone(pod);
  const list = initContainers(copy);
  list.push(
    ...list.splice(
      list.findIndex(({ name }) => name === INIT_CONTAINER),
      1,
    ),
  );
  return copy;
}

function initContainers(pod: V1Pod): V1Container[] {
  return pod.spec?.initContainers ?? [];
}

function withResources(pod: V1Pod): PodWithResources {
  return pod as PodWithResources;
}
