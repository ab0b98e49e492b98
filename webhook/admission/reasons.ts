import { ANNOTATION, INIT_CONTAINER, LABEL, MESH_CONFIG } from "./names.ts";

/**
 * The catalogue of everything that the system says about a pod. Each entry has a code, a sentence and a remedy; a
 * word in braces stands for what was seen. Warnings, audit annotations, logs, /explain and the README's table are
 * all made from it.
 */
export interface Entry {
  readonly sentence: string;
  readonly remedy: string;
  /** Whether the pod's author is warned. A pod that asked for SMC and does not get it always warns. */
  readonly silent?: true;
}

/** How a decision ends, in the order in which it is asked: the first that holds counts. */
export const REASONS = {
  NotRequested: {
    sentence: "the pod does not ask for SMC",
    remedy: `Annotate the pod template: ${ANNOTATION.enabled}: "true".`,
    silent: true,
  },
  OptedOut: {
    sentence: "the pod declines SMC",
    remedy: `To change that, annotate the pod template: ${ANNOTATION.enabled}: "true".`,
    silent: true,
  },
  InvalidAnnotation: {
    sentence: `${ANNOTATION.enabled} must be "true" or "false", not {value}`,
    remedy: 'Write "true" or "false", in quotes and in lower case.',
  },
  MeshUnknown: {
    sentence: "the mesh's state has not been read yet",
    remedy: "GET /readyz says what is missing. Make the pod anew when it says ready.",
  },
  NamespaceNotEnabled: {
    sentence: `label ${LABEL.injection}=enabled is missing on namespace {namespace}`,
    remedy: `kubectl label namespace NAME ${LABEL.injection}=enabled`,
  },
  MeshDisabled: {
    sentence: `smcEnabled is not true in ${MESH_CONFIG.kind} ${MESH_CONFIG.name}`,
    remedy: `Set spec.smcEnabled: true there: kubectl edit asmmeshconfig ${MESH_CONFIG.name}. GET /config says what was read.`,
  },
  HostNetwork: {
    sentence: "the pod is on the host's network, which must not be changed",
    remedy: "Take hostNetwork away, or the annotation.",
  },
  WindowsPod: {
    sentence: "the pod runs on Windows, which has no SMC",
    remedy: "Take the annotation away.",
  },
  MirrorPod: {
    sentence: "the pod is the image of a static pod, which cannot be changed here",
    remedy: "Make it an ordinary pod, or take the annotation away.",
  },
  NameTaken: {
    sentence: `a container of the pod's own is named ${INIT_CONTAINER}`,
    remedy: "Give that container another name.",
  },
  AnnotationsFull: {
    sentence: "the pod's annotations leave no room for the webhook's status",
    remedy: "Take annotations away: Kubernetes takes 256 KiB of them in all.",
  },
  PodSecurity: {
    sentence: `namespace {namespace} enforces Pod Security {level}, which refuses ${INIT_CONTAINER}`,
    remedy: `Run the workload in a namespace with ${LABEL.podSecurityEnforce}: privileged, or leave it on TCP.`,
  },
  NodeNotEligible: {
    sentence: "node {node} cannot do SMC: {why}",
    remedy: `GET /nodes lists every node's reason; kubectl describe node NAME shows the annotation ${ANNOTATION.probe}.`,
  },
  NoEligibleNode: {
    sentence: "no node that can do SMC suits the pod's nodeSelector and node affinity",
    remedy: `GET /nodes lists the nodes that can. Loosen the pod's selector, or annotate it ${ANNOTATION.placement}: ignore.`,
  },
  Injected: {
    sentence: `${INIT_CONTAINER} is in place`,
    remedy: `kubectl logs POD -c ${INIT_CONTAINER} says what it configured.`,
    silent: true,
  },
} as const satisfies Record<string, Entry>;

/** Why a request was answered without a decision. */
export const UNDECIDED = {
  NotApplicable: {
    sentence: "the request is not the creation of a pod",
    remedy: "Nothing to do: such requests pass unchanged.",
    silent: true,
  },
  InvalidPod: {
    sentence: "the pod is malformed: {where} {fault}",
    remedy: "Correct the pod; the API server would refuse it too.",
  },
  InternalError: {
    sentence: "an internal error kept the pod from being judged",
    remedy: "The webhook's log has it under the request's uid. Please report it.",
  },
} as const satisfies Record<string, Entry>;

/** What the author of an injected pod should know all the same. */
export const NOTICES = {
  InvalidPlacement: {
    sentence: `${ANNOTATION.placement} must be prefer, require or ignore; taken: {mode}, not {value}`,
    remedy: "Correct the annotation.",
  },
  NoSidecar: {
    sentence: "no container {container} found: every socket of the pod becomes SMC",
    remedy: "Inject the sidecar, if the pod should have one.",
  },
  ReservedPort: {
    sentence: "eRDMA reserves ports 65500-65515; the pod may fail to listen on {ports}",
    remedy: "Let the container listen on another port.",
  },
  Ipv6Only: {
    sentence: "the pod has IPv6 alone, and SMC speaks IPv4 alone: it will use TCP",
    remedy: "Give the pod an IPv4 address.",
  },
  UnknownRelaxation: {
    sentence: "another version of the webhook relaxed {relaxation}; left as it is",
    remedy: "Run one version of the webhook; make the pod anew.",
  },
} as const satisfies Record<string, Entry>;

export const CATALOGUE = { ...REASONS, ...UNDECIDED, ...NOTICES } satisfies Record<string, Entry>;

export type ReasonCode = keyof typeof REASONS;
export type LeaveCode = Exclude<ReasonCode, "Injected">;
export type UndecidedCode = keyof typeof UNDECIDED;
export type NoticeCode = keyof typeof NOTICES;
export type Code = keyof typeof CATALOGUE;

/** What was seen, by the words in braces of the sentence. */
export type Seen = Readonly<Record<string, string>>;

/** The sentence of a catalogue entry with what was seen in it. */
export function sentence(code: Code, seen: Seen = {}): string {
  return CATALOGUE[code].sentence.replace(/\{(\w+)\}/g, (braces, word: string) => seen[word] ?? braces);
}

/** An admission warning may have 120 characters; the API server cuts a longer one off. */
const MAX_WARNING = 120;

/** A warning as kubectl prints it: `Code: sentence`, in printable ASCII, for it travels in an HTTP header. */
export function warning(code: Code, seen: Seen = {}): string {
  const text = `${code}: ${sentence(code, seen)}`.replace(/[^\x20-\x7e]/g, "?");
  return text.length <= MAX_WARNING ? text : `${text.slice(0, MAX_WARNING - 3)}...`;
}

export function isSilent(code: Code): boolean {
  const entry: Entry = CATALOGUE[code];
  return entry.silent === true;
}

/** A value from a pod, as a warning can show it. */
export function shown(value: string): string {
  return JSON.stringify(value.length <= 24 ? value : `${value.slice(0, 21)}...`);
}
