import { describe, expect, it } from "vitest";
import { ANNOTATION, LABEL } from "../../webhook/admission/names.ts";
import { isSilent, REASONS, type ReasonCode } from "../../webhook/admission/reasons.ts";
import { type Asked, ask, container, type MeshParts, mesh, pod, settings } from "./scene.ts";

/** What a decision is made of; each end of the decision table is a change to it. */
interface Scenario {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: object;
  readonly labels: Readonly<Record<string, string>>;
  readonly mesh: MeshParts | undefined;
}

type Change = (scenario: Scenario) => Scenario;

const annotated = (values: Readonly<Record<string, string>>): Change => {
  return (scenario) => ({ ...scenario, annotations: { ...scenario.annotations, ...values } });
};
const withSpec = (fields: object): Change => {
  return (scenario) => ({ ...scenario, spec: { ...scenario.spec, ...fields } });
};
const without = (map: Readonly<Record<string, string>>, key: string) =>
  Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));

/** In the order of the decision table. */
const ENDS: readonly (readonly [ReasonCode, Change])[] = [
  ["NotRequested", (one) => ({ ...one, annotations: without(one.annotations, ANNOTATION.enabled) })],
  ["OptedOut", annotated({ [ANNOTATION.enabled]: "false" })],
  ["InvalidAnnotation", annotated({ [ANNOTATION.enabled]: "yes" })],
  ["MeshUnknown", (one) => ({ ...one, mesh: undefined })],
  ["NamespaceNotEnabled", (one) => ({ ...one, labels: without(one.labels, LABEL.injection) })],
  ["MeshDisabled", (one) => ({ ...one, mesh: one.mesh && { ...one.mesh, enabled: false } })],
  ["HostNetwork", withSpec({ hostNetwork: true })],
  ["WindowsPod", withSpec({ os: { name: "windows" } })],
  ["MirrorPod", annotated({ "kubernetes.io/config.mirror": "d4f1" })],
  ["NameTaken", withSpec({ containers: [container("app"), container("smc-init")] })],
  ["AnnotationsFull", annotated({ "example.com/notes": "é".repeat(130_000) })],
  ["PodSecurity", (one) => ({ ...one, labels: { ...one.labels, [LABEL.podSecurityEnforce]: "baseline" } })],
  ["NodeNotEligible", withSpec({ nodeName: "plain-b" })],
  ["NoEligibleNode", withSpec({ nodeSelector: { zone: "nowhere" } })],
];

const FINE: Scenario = {
  annotations: { [ANNOTATION.enabled]: "true" },
  spec: {},
  labels: { [LABEL.injection]: "enabled" },
  mesh: { notEligible: { "plain-b": "NoRdmaDevice" } },
};

function decided({ annotations, spec, labels, mesh: parts }: Scenario) {
  const object = { metadata: { generateName: "web-", annotations }, spec: { containers: [container("app")], ...spec } };
  return ask(object, { mesh: parts && mesh({ ...parts, namespaces: { default: labels } }) });
}

describe("the decision table", () => {
  it("injects a pod for which no end holds", () => {
    expect(decided(FINE).decision).toEqual({ outcome: "inject", reason: "Injected" });
  });

  it.each(ENDS)("ends with %s", (code, change) => {
    const { decision, patch, warnings } = decided(change(FINE));
    expect(decision).toMatchObject({ outcome: "leave", reason: code });
    expect(patch).toEqual([]);
    expect(warnings).toHaveLength(isSilent(code) ? 0 : 1);
  });

  const pairs = ENDS.flatMap(([earlier, first], index) =>
    ENDS.slice(index + 1).map(([later, second]) => ({ earlier, later, both: (one: Scenario) => first(second(one)) })),
  );
  it.each(pairs)("gives $earlier where $later holds too", ({ earlier, both }) => {
    expect(decided(both(FINE)).decision.reason).toBe(earlier);
  });

  it("has every end of the catalogue, in the catalogue's order", () => {
    expect([...ENDS.map(([code]) => code), "Injected"]).toEqual(Object.keys(REASONS));
  });

  it("warns in at most 120 printable ASCII characters, with the code in front", () => {
    for (const [code, change] of ENDS) {
      for (const warning of decided(change(FINE)).warnings) {
        expect(warning).toMatch(/^[\x20-\x7e]{1,120}$/);
        expect(warning).toMatch(new RegExp(`^${code}: `));
      }
    }
  });
});

const reason = (object: unknown, asked: Asked = {}) => ask(object, asked).decision.reason;

describe("the annotation that asks", () => {
  it.each(["True", "TRUE", "1", "", "yes", " true", "true ", "true\n", "on", "False"])("is invalid as %j", (value) => {
    expect(reason(pod({}, { [ANNOTATION.enabled]: value }))).toBe("InvalidAnnotation");
  });

  it("is shown in the warning, which names what is accepted", () => {
    const { warnings } = ask(pod({}, { [ANNOTATION.enabled]: "TRUE" }));
    expect(warnings).toEqual([
      'InvalidAnnotation: smc.asm.alibabacloud.com/enabled must be "true" or "false", not "TRUE"',
    ]);
  });

  it.each(["é\u0000\n", "\u{1f600}".repeat(40), "x".repeat(100_000)])("is made fit to print (%#)", (value) => {
    const { warnings, message } = ask(pod({}, { [ANNOTATION.enabled]: value }));
    expect(warnings[0]).toMatch(/^InvalidAnnotation: [\x20-\x7e]{1,101}$/);
    expect(message.length).toBeLessThan(300);
  });

  it.each([
    {},
    { metadata: null },
    { metadata: {} },
    { metadata: { annotations: null } },
  ])("is absent in %j", (meta) => {
    const admission = ask({ ...meta, spec: { containers: [] } });
    expect(admission.decision.reason).toBe("NotRequested");
    expect(admission.warnings).toEqual([]);
  });

  it("counts only as a key of the pod's own", () => {
    const annotations = Object.create({ [ANNOTATION.enabled]: "true" });
    expect(reason({ metadata: { annotations }, spec: { containers: [] } })).toBe("NotRequested");
  });
});

describe("the namespace", () => {
  it.each(["Enabled", "true", "", "disabled"])("is not enabled by the label's value %j", (value) => {
    const state = mesh({ namespaces: { default: { [LABEL.injection]: value } } });
    expect(reason(pod(), { mesh: state })).toBe("NamespaceNotEnabled");
  });

  it("is named in the message where the mesh does not know it", () => {
    const admission = ask(pod(), { namespace: "elsewhere" });
    expect(admission.decision.reason).toBe("NamespaceNotEnabled");
    expect(admission.message).toContain("namespace elsewhere");
  });

  it("is the request's, not the pod's", () => {
    const object = { ...pod(), metadata: { ...pod().metadata, namespace: "elsewhere" } };
    expect(reason(object, { namespace: "default" })).toBe("Injected");
  });

  it("may not be a name that objects inherit", () => {
    for (const namespace of ["__proto__", "constructor", "toString"]) {
      expect(reason(pod(), { namespace })).toBe("NamespaceNotEnabled");
    }
  });
});

describe("pods that cannot have the container", () => {
  it("are Windows pods by their node selector too", () => {
    expect(reason(pod({ nodeSelector: { "kubernetes.io/os": "windows" } }))).toBe("WindowsPod");
  });

  it("are not those that say hostNetwork: false or os: linux", () => {
    expect(reason(pod({ hostNetwork: false, os: { name: "linux" } }))).toBe("Injected");
    expect(reason(pod({ hostNetwork: null, os: null, nodeSelector: null }))).toBe("Injected");
  });

  it("are not those with an init container named smc-init, which is ours to put right", () => {
    expect(reason(pod({ initContainers: [container("smc-init")] }))).toBe("Injected");
  });
});

describe("Pod Security", () => {
  const enforcing = (level: string) =>
    mesh({ namespaces: { default: { [LABEL.injection]: "enabled", [LABEL.podSecurityEnforce]: level } } });

  it.each(["baseline", "restricted", "Privileged", "privileged ", "", "strict"])("refuses under level %j", (level) => {
    expect(reason(pod(), { mesh: enforcing(level) })).toBe("PodSecurity");
  });

  it("says which namespace and which level", () => {
    expect(ask(pod(), { mesh: enforcing("baseline") }).message).toBe(
      'namespace default enforces Pod Security "baseline", which refuses smc-init',
    );
  });

  it("is not in the way at level privileged, whatever the default", () => {
    const strict = settings({ podSecurity: { default: "restricted" } });
    expect(reason(pod(), { mesh: enforcing("privileged"), settings: strict })).toBe("Injected");
  });

  it("takes the API server's default where the namespace does not say", () => {
    expect(reason(pod(), { settings: settings({ podSecurity: { default: "baseline" } }) })).toBe("PodSecurity");
  });

  it("spares the namespaces that the API server exempts, and no others", () => {
    const exempt = (name: string) => settings({ podSecurity: { exemptNamespaces: [name] } });
    expect(reason(pod(), { mesh: enforcing("restricted"), settings: exempt("default") })).toBe("Injected");
    expect(reason(pod(), { mesh: enforcing("restricted"), settings: exempt("default-2") })).toBe("PodSecurity");
  });
});
