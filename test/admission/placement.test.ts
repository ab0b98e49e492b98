import type { V1NodeAffinity } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import { expectCanonical } from "./invariants.ts";
import { ask, injected, mesh, pod, settings } from "./scene.ts";

const ELIGIBLE = { key: "smc.asm.alibabacloud.com/eligible", operator: "In", values: ["true"] };
const ZONE = { key: "zone", operator: "In", values: ["a"] };
const HERE = { key: "metadata.name", operator: "In", values: ["rdma-a"] };
const PREFER_ELIGIBLE = { weight: 100, preference: { matchExpressions: [ELIGIBLE] } };
const PREFER_ZONE = { weight: 7, preference: { matchExpressions: [ZONE] } };

const state = mesh({ eligible: { "rdma-a": { zone: "a" } } });
const in_ = (mode: "prefer" | "require" | "ignore", weight = 100) => ({
  mesh: state,
  settings: settings({ placement: { mode, weight } }),
});
const required = (...nodeSelectorTerms: readonly object[]) => ({
  requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
});
const preferred = (...terms: readonly object[]) => ({ preferredDuringSchedulingIgnoredDuringExecution: terms });
const withNode = (nodeAffinity: unknown) => pod({ affinity: { nodeAffinity, podAffinity: { kept: true } } });

/** The pod's node affinity after the webhook, which must leave it canonical. */
function nodeAffinity(object: object, asked: ReturnType<typeof in_>): V1NodeAffinity | undefined {
  return expectCanonical(object, asked).spec?.affinity?.nodeAffinity;
}

const NOTHING: readonly (readonly [string, object])[] = [
  ["no affinity", pod()],
  ["null affinity", pod({ affinity: null })],
  ["empty affinity", pod({ affinity: {} })],
  ["null node affinity", withNode(null)],
  ["empty node affinity", withNode({})],
  [
    "null terms",
    withNode({
      preferredDuringSchedulingIgnoredDuringExecution: null,
      requiredDuringSchedulingIgnoredDuringExecution: null,
    }),
  ],
];

describe("placement prefer", () => {
  it.each(NOTHING)("adds a preference to %s", (_, object) => {
    expect(nodeAffinity(object, in_("prefer"))).toMatchObject(preferred(PREFER_ELIGIBLE));
  });

  it("adds it behind the author's own", () => {
    expect(nodeAffinity(withNode(preferred(PREFER_ZONE)), in_("prefer"))).toEqual(
      preferred(PREFER_ZONE, PREFER_ELIGIBLE),
    );
  });

  it("adds it to an empty list", () => {
    expect(nodeAffinity(withNode(preferred()), in_("prefer"))).toEqual(preferred(PREFER_ELIGIBLE));
  });

  it("adds it but once, be it the author's own", () => {
    expect(nodeAffinity(withNode(preferred(PREFER_ELIGIBLE)), in_("prefer"))).toEqual(preferred(PREFER_ELIGIBLE));
  });

  it("has the weight of the setting", () => {
    expect(nodeAffinity(pod(), in_("prefer", 40))).toEqual(preferred({ ...PREFER_ELIGIBLE, weight: 40 }));
  });

  it("keeps the required terms as they are", () => {
    expect(nodeAffinity(withNode(required({ matchExpressions: [ZONE] })), in_("prefer"))).toEqual({
      ...required({ matchExpressions: [ZONE] }),
      ...preferred(PREFER_ELIGIBLE),
    });
  });
});

describe("placement require", () => {
  it.each(NOTHING)("adds a required term to %s", (_, object) => {
    expect(nodeAffinity(object, in_("require"))).toMatchObject(required({ matchExpressions: [ELIGIBLE] }));
  });

  it("adds the condition to every required term", () => {
    const affinity = required(
      { matchExpressions: [ZONE] },
      { matchFields: [HERE] },
      { matchFields: [HERE], matchExpressions: null },
    );
    expect(nodeAffinity(withNode(affinity), in_("require"))).toEqual(
      required(
        { matchExpressions: [ZONE, ELIGIBLE] },
        { matchFields: [HERE], matchExpressions: [ELIGIBLE] },
        { matchFields: [HERE], matchExpressions: [ELIGIBLE] },
      ),
    );
  });

  it("does not open an empty term, which suits no node", () => {
    const empty = [{}, { matchExpressions: [] }, { matchExpressions: null, matchFields: [] }];
    expect(nodeAffinity(withNode(required(...empty, { matchExpressions: [ZONE] })), in_("require"))).toEqual(
      required(...empty, { matchExpressions: [ZONE, ELIGIBLE] }),
    );
  });

  it("adds no term to an empty list, which suits no node", () => {
    const ignoring = { mesh: state, settings: settings({ placement: { mode: "require" } }) };
    for (const none of [{}, { nodeSelectorTerms: [] }, { nodeSelectorTerms: null }]) {
      const object = withNode({ requiredDuringSchedulingIgnoredDuringExecution: none });
      expect(ask(object, ignoring).decision.reason).toBe("NoEligibleNode");
    }
  });

  it("adds the condition but once, be it the author's own", () => {
    const affinity = required({ matchExpressions: [ELIGIBLE, ZONE] });
    expect(nodeAffinity(withNode(affinity), in_("require"))).toEqual(affinity);
  });

  it("is not content with a condition that only resembles it", () => {
    const loose = { ...ELIGIBLE, values: ["true", "false"] };
    expect(nodeAffinity(withNode(required({ matchExpressions: [loose] })), in_("require"))).toEqual(
      required({ matchExpressions: [loose, ELIGIBLE] }),
    );
  });

  it("keeps the preferences as they are", () => {
    expect(nodeAffinity(withNode(preferred(PREFER_ZONE)), in_("require"))).toEqual({
      ...preferred(PREFER_ZONE),
      ...required({ matchExpressions: [ELIGIBLE] }),
    });
  });
});

describe("placement ignore", () => {
  it.each(NOTHING)("leaves %s", (_, object) => {
    const before = (object as ReturnType<typeof pod> & { spec: { affinity?: unknown } }).spec.affinity;
    expect(expectCanonical(object, in_("ignore")).spec?.affinity).toEqual(before);
  });

  it("leaves the author's affinity", () => {
    const affinity = { ...required({ matchExpressions: [ZONE] }), ...preferred(PREFER_ZONE) };
    expect(nodeAffinity(withNode(affinity), in_("ignore"))).toEqual(affinity);
  });
});

describe("the placement annotation", () => {
  const annotated = (value: string) => pod({}, { [ANNOTATION.placement]: value });
  const placementOf = (object: object, asked = in_("prefer")) =>
    JSON.parse(injected(object, asked).metadata?.annotations?.[ANNOTATION.status] ?? "{}").placement;

  it.each(["prefer", "require", "ignore"] as const)("takes %s before any setting", (mode) => {
    for (const setting of ["prefer", "require", "ignore"] as const) {
      expect(placementOf(annotated(mode), in_(setting))).toBe(mode);
      expect(ask(annotated(mode), in_(setting)).warnings.join()).not.toContain("InvalidPlacement");
    }
  });

  it.each(["Require", "", " ignore", "true", "__proto__"])("warns of %j, and takes the setting", (value) => {
    const admission = ask(annotated(value), in_("require"));
    expect(admission.warnings[0]).toMatch(/^InvalidPlacement: .* prefer, require or ignore; taken: require, not ".*"$/);
    expect(placementOf(annotated(value), in_("require"))).toBe("require");
  });

  it("says what it takes though the value is long", () => {
    const [warning = ""] = ask(annotated("x".repeat(10_000)), in_("prefer")).warnings;
    expect(warning).toMatch(/^InvalidPlacement: .*; taken: prefer, not "x+\.\.\.$/);
  });
});
