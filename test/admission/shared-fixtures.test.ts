import { describe, expect, it } from "vitest";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import { capturedReviews, istioPods, shared } from "../fixtures.ts";
import { expectCanonical } from "./invariants.ts";
import { ask, mesh } from "./scene.ts";

/** A copy of the pod that asks for SMC. */
function asking(pod: Record<string, unknown>): Record<string, unknown> {
  const copy = structuredClone(pod) as { metadata?: { annotations?: Record<string, string> } };
  copy.metadata = { ...copy.metadata, annotations: { ...copy.metadata?.annotations, [ANNOTATION.enabled]: "true" } };
  return copy;
}

if (!shared) console.warn("../shared is not here: pods of Istio and of a real API server are not tried");

describe.runIf(shared)("pods as Istio's injector leaves them", () => {
  it.each(istioPods())("$name comes out canonical", ({ pod }) => {
    expectCanonical(asking(pod));
  });
});

describe.runIf(shared)("reviews as a real API server sends them", () => {
  const everyNode = mesh({ eligible: Object.fromEntries(nodeNames().map((name) => [name, {}])) });
  it.each(capturedReviews())("$name comes out canonical, where it may be injected", ({ name, review }) => {
    const pod = asking(review.request.object);
    if (name.startsWith("host-network")) {
      expect(ask(pod, { mesh: everyNode }).decision.reason).toBe("HostNetwork");
    } else {
      expectCanonical(pod, { mesh: everyNode });
    }
  });
});

/** The nodes that the captured pods are bound to. */
function nodeNames(): readonly string[] {
  const text = JSON.stringify(capturedReviews());
  const named = [
    ...text.matchAll(/"nodeName":"([^"]+)"/g),
    ...text.matchAll(/"metadata.name".{0,40}?"values":\["([^"]+)"/g),
  ];
  return ["rdma-a", ...named.flatMap(([, name]) => (name ? [name] : []))];
}
