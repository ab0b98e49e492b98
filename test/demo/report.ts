import type { V1Pod } from "@kubernetes/client-node";
import { ANNOTATION, LABEL } from "../../webhook/admission/names.ts";
import type { Admitted } from "../standins/api-server.ts";

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = paint(1);
const dim = paint(2);
const green = paint(32);
const red = paint(31);

export function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

export function heading(number: number, title: string, how: string): void {
  say();
  say(bold(`${number}. ${title}`));
  say(dim(`   ${how}`));
}

/** One pod's way through admission, as a person wants to see it. */
export function reportPod(name: string, before: V1Pod, admitted: Admitted): void {
  const { pod, reason, message, warnings, operations } = admitted;
  say();
  say(`   pod ${bold(name)}`);
  field("decision", `${reason === "Injected" ? green(reason) : reason}: ${message}`);
  for (const warning of warnings) field("warning", warning);
  if (operations.length === 0) {
    field("patch", "none, the pod passes unchanged");
    return;
  }
  field("init before", initContainers(before));
  field("init after", initContainers(pod));
  for (const line of relaxed(pod)) field("sidecar", line);
  field("sockets", sockets(pod));
  field("placement", placement(pod));
  field("patch", `${operations.length} operations`);
}

export function reportCheck(ok: boolean, text: string): void {
  say(`   ${ok ? green("ok  ") : red("FAIL")} ${text}`);
}

function field(name: string, value: string): void {
  say(`     ${dim(name.padEnd(12))} ${value}`);
}

function initContainers({ spec }: V1Pod): string {
  const names = spec?.initContainers?.map(({ name, restartPolicy }) => (restartPolicy ? `${name} (stays)` : name));
  return names?.join(" → ") ?? "none";
}

interface StatusJson {
  readonly sockets: string;
  readonly relaxed: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
}

function status(pod: V1Pod): StatusJson {
  return JSON.parse(pod.metadata?.annotations?.[ANNOTATION.status] ?? '{"sockets":"","relaxed":{}}');
}

function relaxed(pod: V1Pod): readonly string[] {
  const lines = Object.entries(status(pod).relaxed).map(
    ([name, { from, to }]) => `${name} ${JSON.stringify(from)} → ${JSON.stringify(to)}`,
  );
  return lines.length > 0 ? lines : ["nothing relaxed"];
}

function sockets(pod: V1Pod): string {
  const whose = status(pod).sockets;
  return whose === "all" ? "all of the pod's become SMC" : `those of ${whose}, the sidecar's, become SMC`;
}

function placement({ spec }: V1Pod): string {
  const term = spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.find(({ preference }) =>
    preference.matchExpressions?.some(({ key }) => key === LABEL.eligible),
  );
  return term ? `prefers nodes with ${LABEL.eligible}=true (weight ${term.weight})` : "nothing added";
}
