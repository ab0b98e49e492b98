import { describe, expect, it } from "vitest";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import { ask, mesh, pod } from "./scene.ts";

const state = mesh({
  eligible: { "rdma-a": { zone: "a" } },
  notEligible: { "plain-b": "NoRdmaDevice", "plain-c": "" },
});
const decided = (object: unknown) => ask(object, { mesh: state });
const reason = (object: unknown) => decided(object).decision.reason;

const required = (...nodeSelectorTerms: readonly object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
/** As the DaemonSet controller writes it. */
const onNode = (name: string) => ({ matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] });
const ignoring = { [ANNOTATION.placement]: "ignore" };

describe("a pod that names its node", () => {
  it("is injected on an eligible one", () => {
    expect(reason(pod({ nodeName: "rdma-a" }))).toBe("Injected");
  });

  it("is told why a node is not eligible", () => {
    expect(decided(pod({ nodeName: "plain-b" })).warnings).toEqual([
      "NodeNotEligible: node plain-b cannot do SMC: NoRdmaDevice",
    ]);
  });

  it.each(["plain-c", "unheard-of"])("is told where nobody has judged its node, %s", (nodeName) => {
    expect(decided(pod({ nodeName })).message).toBe(`node ${nodeName} cannot do SMC: no labeler has judged it`);
  });

  it("is not asked for its selectors, for no scheduler sees it", () => {
    expect(reason(pod({ nodeName: "rdma-a", nodeSelector: { zone: "b" } }))).toBe("Injected");
  });

  it("does not come to a node that is not eligible by ignoring placement", () => {
    expect(reason(pod({ nodeName: "plain-b" }, ignoring))).toBe("NodeNotEligible");
  });

  it("may name one that is no node's name, and it is not repeated at length", () => {
    expect(decided(pod({ nodeName: "x".repeat(1_000_000) })).message.length).toBeLessThan(200);
  });

  it("does not name one by the empty string or null", () => {
    expect(reason(pod({ nodeName: "" }))).toBe("Injected");
    expect(reason(pod({ nodeName: null }))).toBe("Injected");
  });
});

describe("a DaemonSet's pod", () => {
  it("is injected on an eligible node", () => {
    expect(reason(pod(required(onNode("rdma-a"))))).toBe("Injected");
  });

  it("is bound to the node of its matchFields", () => {
    expect(reason(pod(required(onNode("plain-b"))))).toBe("NodeNotEligible");
  });

  it("is bound where every term names the same node", () => {
    expect(reason(pod(required(onNode("plain-b"), onNode("plain-b"))))).toBe("NodeNotEligible");
  });

  it("is not bound where two terms name two nodes", () => {
    expect(reason(pod(required(onNode("plain-b"), onNode("rdma-a"))))).toBe("Injected");
    expect(reason(pod(required(onNode("plain-b"), onNode("plain-c"))))).toBe("NoEligibleNode");
  });

  it("must satisfy its other selectors too", () => {
    expect(reason(pod({ ...required(onNode("rdma-a")), nodeSelector: { zone: "b" } }))).toBe("NoEligibleNode");
  });

  it("is not injected on a node that is not eligible, though it ignores placement", () => {
    expect(reason(pod(required(onNode("plain-b")), ignoring))).toBe("NodeNotEligible");
  });

  it("comes under NodeNotEligible before NoEligibleNode", () => {
    expect(reason(pod({ ...required(onNode("plain-b")), nodeSelector: { zone: "b" } }))).toBe("NodeNotEligible");
  });
});

describe("a pod that no eligible node suits", () => {
  const nowhere = { nodeSelector: { zone: "b" } };

  it("is left alone", () => {
    expect(reason(pod(nowhere))).toBe("NoEligibleNode");
  });

  it("is injected where it ignores placement", () => {
    expect(reason(pod(nowhere, ignoring))).toBe("Injected");
  });

  it("is every pod, where no node is eligible", () => {
    expect(ask(pod(), { mesh: mesh({ eligible: {} }) }).decision.reason).toBe("NoEligibleNode");
  });

  it("is left alone under an annotation that is no placement", () => {
    expect(reason(pod(nowhere, { [ANNOTATION.placement]: "Ignore" }))).toBe("NoEligibleNode");
  });
});
