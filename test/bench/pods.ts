import type { V1Pod } from "@kubernetes/client-node";
import { eligibleNodes } from "../../webhook/admission/eligible-nodes.ts";
import { LABEL } from "../../webhook/admission/names.ts";
import type { MeshState } from "../../webhook/mesh/view.ts";
import { injectSidecar } from "../standins/istio-injector.ts";

/** An AdmissionReview of about `bytes` bytes for a pod with a sidecar that asks for SMC. */
export function reviewOf(bytes: number): string {
  const pod: V1Pod = injectSidecar({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: "shop-6d4cf56db6-",
      labels: { app: "shop" },
      annotations: { "smc.asm.alibabacloud.com/enabled": "true", "sidecar.istio.io/inject": "true" },
    },
    spec: {
      nodeSelector: { "topology.kubernetes.io/zone": "zone-1" },
      containers: [
        {
          name: "shop",
          image: "shop:1.4.2",
          ports: [{ containerPort: 8080 }],
          resources: { limits: { cpu: "1", memory: "512Mi" }, requests: { cpu: "250m", memory: "256Mi" } },
          env: [],
        },
      ],
    },
  });
  const kind = { group: "", version: "v1", kind: "Pod" };
  const request = { uid: "1b0d", kind, namespace: "default", operation: "CREATE", object: pod };
  const review = { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request };
  const env = pod.spec?.containers[0]?.env ?? [];
  while (JSON.stringify(review).length < bytes) {
    env.push({ name: `SETTING_${env.length}`, value: `value-${env.length}`.repeat(4) });
  }
  return JSON.stringify(review);
}

/** A mesh that is on, with so many eligible nodes in three zones. */
export function meshOf(nodes: number): MeshState {
  const labelled = Array.from({ length: nodes }, (_one, index) => ({
    name: `node-${index}`,
    labels: new Map([
      ["kubernetes.io/hostname", `node-${index}`],
      ["topology.kubernetes.io/zone", `zone-${1 + (index % 3)}`],
    ]),
  }));
  return {
    meshSwitch: { enabled: true },
    nodes: new Map(),
    eligible: eligibleNodes(labelled),
    namespaces: new Map([["default", new Map([[LABEL.injection, "enabled"]])]]),
  };
}
