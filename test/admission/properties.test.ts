import type { V1Pod } from "@kubernetes/client-node";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admit } from "../../webhook/admission/admit.ts";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import { CATALOGUE } from "../../webhook/admission/reasons.ts";
import { readPod } from "../../webhook/review/pod-schema.ts";
import type { AdmissionSettings } from "../../webhook/settings/schema.ts";
import { expectCanonical } from "./invariants.ts";
import { betweenRounds } from "./model/api-server.ts";
import { garbage, NODES, pods, someSettings } from "./pods.ts";
import { ask, injected, mesh, patched } from "./scene.ts";

const state = mesh(NODES);
const RUNS = { numRuns: 1_000 };
const FEWER = { numRuns: 500 };

describe("every pod that is injected", { timeout: 60_000 }, () => {
  it("comes out canonical", () => {
    fc.assert(
      fc.property(pods, someSettings, (pod, settings) => {
        expectCanonical(pod, { mesh: state, settings });
      }),
      RUNS,
    );
  });

  it("comes out as it does where the API server's defaults come first", () => {
    fc.assert(
      fc.property(pods, someSettings, (pod, settings) => {
        const plugins = { serviceAccount: true, alwaysPullImages: true };
        const asked = { mesh: state, settings };
        const once = betweenRounds(injected(betweenRounds(pod, plugins), asked), plugins);
        expect(ask(once, asked).patch).toEqual([]);
      }),
      FEWER,
    );
  });

  it("comes out the same, whatever garbage stands in its status annotation", () => {
    const specWith = (pod: object, settings: AdmissionSettings, status: string | undefined) => {
      const { metadata = {}, ...rest }: V1Pod = structuredClone(pod);
      const { [ANNOTATION.status]: _, ...annotations } = metadata.annotations ?? {};
      const added = status === undefined ? {} : { [ANNOTATION.status]: status };
      return injected(
        { ...rest, metadata: { ...metadata, annotations: { ...annotations, ...added } } },
        { mesh: state, settings },
      ).spec;
    };
    fc.assert(
      fc.property(pods, someSettings, garbage, (pod, settings, status) => {
        expect(specWith(pod, settings, status)).toEqual(specWith(pod, settings, undefined));
      }),
      FEWER,
    );
  });
});

/** Anything at all that is read as a pod: wild values in every field that is looked at. */
const text = fc.oneof(fc.string(), fc.constantFrom("true", "istio-proxy", "smc-init", "Always", "1e99", "__proto__"));
const wild = fc.oneof(text, fc.double(), fc.constantFrom(null, {}, [], true, -1, 1e300, "1"));
const quantities = fc.dictionary(fc.constantFrom("cpu", "memory", "x"), fc.oneof(text, fc.double()));
const container = fc.record(
  {
    name: text,
    restartPolicy: fc.option(text),
    imagePullPolicy: wild,
    ports: fc.array(fc.record({ containerPort: fc.option(fc.double()) })),
    resources: fc.option(fc.record({ limits: fc.option(quantities), requests: fc.option(quantities) })),
    securityContext: fc.record({ runAsUser: fc.option(fc.integer()), seccompProfile: fc.object() }),
    volumeMounts: fc.array(wild),
    resizePolicy: wild,
  },
  { requiredKeys: ["name"] },
);
const requirements = fc.array(fc.record({ key: text, operator: text, values: fc.option(fc.array(text)) }));
const terms = fc.array(fc.record({ matchExpressions: fc.option(requirements), matchFields: fc.option(requirements) }));
const wildPods = fc.record({
  metadata: fc.record({
    annotations: fc.record({
      "smc.asm.alibabacloud.com/enabled": fc.constantFrom("true", "true", "true", "false", "?"),
      "smc.asm.alibabacloud.com/placement": text,
      "smc.asm.alibabacloud.com/status": fc.oneof(text, fc.json(), garbage),
    }),
  }),
  spec: fc.record(
    {
      containers: fc.array(container),
      initContainers: fc.option(fc.array(container)),
      nodeName: fc.option(text),
      nodeSelector: fc.option(fc.dictionary(text, text)),
      affinity: fc.record({
        nodeAffinity: fc.record({
          requiredDuringSchedulingIgnoredDuringExecution: fc.option(fc.record({ nodeSelectorTerms: terms })),
        }),
      }),
      resources: fc.option(fc.record({ limits: quantities })),
    },
    { requiredKeys: ["containers"] },
  ),
  status: fc.option(fc.record({ podIPs: fc.array(fc.record({ ip: fc.option(text) })) })),
});

describe("every pod that can be read", { timeout: 60_000 }, () => {
  it("gets a decision of the catalogue, a patch that applies, and warnings that can be sent", () => {
    fc.assert(
      fc.property(wildPods, someSettings, (object, settings) => {
        const reading = readPod(object);
        fc.pre(reading.ok);
        const question = { pod: reading.pod, namespace: "default", mesh: state, settings };
        const admission = admit(question, "1.0.0");
        expect(Object.keys(CATALOGUE)).toContain(admission.decision.reason);
        expect(admission.patch.length === 0 || admission.decision.outcome === "inject").toBe(true);
        patched(object, admission);
        expect(admission.warnings.length).toBeLessThanOrEqual(10);
        for (const warning of admission.warnings) expect(warning).toMatch(/^[A-Z][A-Za-z0-9]+: [\x20-\x7e]{1,120}$/);
        expect(admit(question, "1.0.0"), "the same question, the same answer").toEqual(admission);
      }),
      FEWER,
    );
  });
});
