import { describe, expect, it } from "vitest";
import { ANNOTATION, LABEL } from "../../webhook/admission/names.ts";
import {
  CATALOGUE,
  type Code,
  type Entry,
  isSilent,
  NOTICES,
  REASONS,
  type Seen,
  sentence,
  shown,
  UNDECIDED,
  warning,
} from "../../webhook/admission/reasons.ts";
import { malformed } from "../../webhook/review/answer.ts";
import { type Asked, ask, container, mesh, pod, settings } from "./scene.ts";

const entries = Object.entries<Entry>(CATALOGUE).map(([code, entry]) => ({ code: code as Code, ...entry }));
const wordsOf = (code: Code) => [...CATALOGUE[code].sentence.matchAll(/\{(\w+)\}/g)].map(([, word = ""]) => word);

describe("every entry of the catalogue", () => {
  it.each(entries)("$code is a name, a sentence and a remedy", ({ code, sentence, remedy }) => {
    expect(code).toMatch(/^[A-Z][A-Za-z0-9]+$/);
    expect(sentence).toMatch(/^[\x20-\x7e]*[^.\s]$/);
    expect(remedy).toMatch(/\w/);
  });

  it.each(entries)("$code fits into a warning, be what was seen as long as it may", ({ code }) => {
    for (const value of ["a", "x".repeat(63), "x".repeat(100_000), "\u{1f4a5}\n\r\t\u007f".repeat(50)]) {
      const seen: Seen = Object.fromEntries(wordsOf(code).map((word) => [word, value]));
      expect(warning(code, seen)).toMatch(/^[\x20-\x7e]{1,120}$/);
      expect(warning(code, seen).startsWith(`${code}: `)).toBe(true);
    }
  });

  it.each(entries)("$code says the most of what it has to say before anything is cut off", ({ code }) => {
    const seen: Seen = Object.fromEntries(
      wordsOf(code).map((word) => [word, word === "mode" ? "require" : "x".repeat(12)]),
    );
    expect(warning(code, seen)).toBe(`${code}: ${sentence(code, seen)}`);
  });

  it("is one entry: no code stands in two groups", () => {
    const groups = [REASONS, UNDECIDED, NOTICES].map((group) => Object.keys(group));
    expect(new Set(groups.flat()).size).toBe(groups.flat().length);
    expect(Object.keys(CATALOGUE)).toEqual(groups.flat());
  });

  it("is silent only where nobody asked, or all is well", () => {
    expect(entries.filter(({ code }) => isSilent(code)).map(({ code }) => code)).toEqual([
      "NotRequested",
      "OptedOut",
      "Injected",
      "NotApplicable",
    ]);
  });
});

describe("a sentence", () => {
  it("takes what was seen as it is, and leaves a word alone that was not seen", () => {
    expect(sentence("NodeNotEligible", { node: "$& {why}", why: "$1" })).toBe("node $& {why} cannot do SMC: $1");
    expect(sentence("NodeNotEligible", { node: "a" })).toBe("node a cannot do SMC: {why}");
  });
});

describe("a value that is shown", () => {
  it.each([
    ["", '""'],
    ["TRUE", '"TRUE"'],
    ['"', '"\\""'],
    ["a\n", '"a\\n"'],
    ["x".repeat(24), `"${"x".repeat(24)}"`],
    ["x".repeat(25), `"${"x".repeat(21)}..."`],
  ])("%j is %s", (value, expected) => {
    expect(shown(value)).toBe(expected);
  });
});

/** For every code a pod, or what else brings it about. */
const annotated = (value: string) => pod({}, { [ANNOTATION.enabled]: value });
const off = mesh({ enabled: false });
const strict = settings({ podSecurity: { default: "restricted" } });
const OCCASIONS: readonly (readonly [code: Code, pod: object, asked?: Asked])[] = [
  ["NotRequested", { spec: { containers: [] } }],
  ["OptedOut", annotated("false")],
  ["InvalidAnnotation", annotated("maybe")],
  ["MeshUnknown", pod(), { mesh: undefined }],
  ["NamespaceNotEnabled", pod(), { namespace: "elsewhere" }],
  ["MeshDisabled", pod(), { mesh: off }],
  ["HostNetwork", pod({ hostNetwork: true })],
  ["WindowsPod", pod({ os: { name: "windows" } })],
  ["MirrorPod", pod({}, { "kubernetes.io/config.mirror": "" })],
  ["NameTaken", pod({ containers: [container("smc-init")] })],
  ["AnnotationsFull", pod({}, { "example.com/notes": "x".repeat(260_000) })],
  ["PodSecurity", pod(), { settings: strict }],
  ["NodeNotEligible", pod({ nodeName: "elsewhere" })],
  ["NoEligibleNode", pod({ nodeSelector: { [LABEL.eligible]: "false" } })],
  ["Injected", pod()],
  ["InvalidPlacement", pod({}, { [ANNOTATION.placement]: "here" })],
  ["NoSidecar", pod()],
  ["ReservedPort", pod({ containers: [container("app", { ports: [{ containerPort: 65500 }] })] })],
  ["Ipv6Only", { ...pod(), status: { podIPs: [{ ip: "fd00::1" }] } }],
  ["UnknownRelaxation", pod({}, { [ANNOTATION.status]: '{"relaxed":{"x":{"from":1,"to":2}}}' })],
];

describe("every word in braces", () => {
  const occasions = OCCASIONS.map(([code, object, asked = {}]) => ({ code, object, asked }));
  it.each(occasions)("is filled in: $code", ({ code, object, asked }) => {
    const { decision, message, warnings, notices } = ask(object, asked);
    expect([decision.reason, ...notices.map((notice) => notice.code)]).toContain(code);
    const seen = [decision.outcome === "leave" ? decision.seen : {}, ...notices.map((notice) => notice.seen)];
    if (code in NOTICES) expect(warnings.some((one) => one.startsWith(`${code}: `))).toBe(true);
    expect(wordsOf(code).filter((word) => !seen.some((words) => word in words))).toEqual([]);
    expect([message, ...warnings].join("\n")).not.toMatch(/[{}]/);
  });

  it("is filled in where the pod is malformed", () => {
    expect(malformed("u", "spec.containers", "must be array").response.warnings).toEqual([
      "InvalidPod: the pod is malformed: spec.containers must be array",
    ]);
  });

  it("is seen to here for every code that a pod can have", () => {
    expect(OCCASIONS.map(([code]) => code)).toEqual([...Object.keys(REASONS), ...Object.keys(NOTICES)]);
  });
});
