import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { LABEL, MESH_CONFIG } from "../../webhook/admission/names.ts";
import { parseSettings } from "../../webhook/settings/load.ts";

const BASE = fileURLToPath(new URL("../../manifests/base/", import.meta.url));

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: ReturnType<typeof JSON.parse>;
}

const { resources }: { resources: string[] } = parse(readFileSync(`${BASE}kustomization.yaml`, "utf8"));
const manifests: readonly Manifest[] = resources.flatMap((file) =>
  parseAllDocuments(readFileSync(BASE + file, "utf8")).map((document) => document.toJS()),
);
const one = (kind: string): Manifest => {
  const [found, ...more] = manifests.filter((manifest) => manifest.kind === kind);
  if (!found || more.length > 0) throw new Error(`not one ${kind}`);
  return found;
};

describe("manifests/base", () => {
  it("names every file of the folder", () => {
    expect([...resources, "kustomization.yaml"].sort()).toEqual(readdirSync(BASE).sort());
  });

  const kubectl = spawnSync("kubectl", ["version", "--client"]).error === undefined;
  if (!kubectl) console.warn("kubectl is not here: kubectl kustomize is not tried");
  it.runIf(kubectl)("is rendered by kubectl kustomize, object by object", () => {
    const rendered = execFileSync("kubectl", ["kustomize", BASE], { encoding: "utf8" });
    const names = (list: readonly Manifest[]) => list.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
    expect(names(parseAllDocuments(rendered).map((document) => document.toJS()))).toEqual(names(manifests));
  });

  it("puts everything with a namespace into smc-system", () => {
    const spaced = manifests.filter(({ kind }) =>
      ["ConfigMap", "Deployment", "Service", "ServiceAccount"].includes(kind),
    );
    expect(spaced).toHaveLength(4);
    for (const { metadata } of spaced) expect(metadata.namespace).toBe("smc-system");
    expect(one("Namespace").metadata.name).toBe("smc-system");
  });
});

describe("the MutatingWebhookConfiguration", () => {
  const configuration = one("MutatingWebhookConfiguration");
  const [webhook] = configuration.webhooks;

  it("is called after Istio's, and again when a later webhook changes the pod", () => {
    expect(configuration.metadata.name > "istio-sidecar-injector").toBe(true);
    expect(webhook.reinvocationPolicy).toBe("IfNeeded");
  });

  it("is fail-open, without side effects, with five seconds", () => {
    expect(webhook).toMatchObject({ failurePolicy: "Ignore", sideEffects: "None", timeoutSeconds: 5 });
  });

  it("sees the creation of pods in namespaces that opted in, and neither kube-system nor its own", () => {
    expect(webhook.rules).toEqual([
      { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], scope: "Namespaced" },
    ]);
    expect(webhook.namespaceSelector.matchLabels).toEqual({ [LABEL.injection]: "enabled" });
    const [excluded] = webhook.namespaceSelector.matchExpressions;
    expect(excluded.operator).toBe("NotIn");
    expect(excluded.values).toEqual(expect.arrayContaining(["kube-system", "smc-system"]));
  });

  it("calls a Service that there is, on a port that leads to the container's", () => {
    const service = one("Service");
    const { name, namespace, path, port } = webhook.clientConfig.service;
    expect([name, namespace, path]).toEqual([service.metadata.name, service.metadata.namespace, "/mutate"]);
    const { targetPort } = service.spec.ports.find((entry: { port: number }) => entry.port === port);
    const [container] = one("Deployment").spec.template.spec.containers;
    expect(container.ports).toContainEqual({ name: targetPort, containerPort: 8443 });
    expect(service.spec.clusterIP).not.toBe("None");
  });
});

describe("the Deployment", () => {
  const { spec } = one("Deployment");
  const pod = spec.template.spec;

  it("is selected by the Service and by its own selector", () => {
    for (const selector of [spec.selector.matchLabels, one("Service").spec.selector]) {
      expect(spec.template.metadata.labels).toMatchObject(selector);
    }
  });

  it("meets Pod Security's restricted level", () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const { securityContext } of pod.containers) {
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
    }
  });

  it("leaves the service time to end by itself", () => {
    const file = one("ConfigMap").data["settings.yaml"];
    const result = parseSettings(file, "settings.yaml");
    if (!("settings" in result)) throw new Error(JSON.stringify(result.faults));
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(result.settings.shutdown.graceSeconds);
  });
});

describe("the CRD", () => {
  it("is the mesh's resource: cluster-scoped, with the switch, and every other field kept", () => {
    const { spec } = one("CustomResourceDefinition");
    const [version] = spec.versions;
    expect(`${spec.group}/${version.name}`).toBe(MESH_CONFIG.apiVersion);
    expect([spec.scope, spec.names.kind]).toEqual(["Cluster", MESH_CONFIG.kind]);
    const schema = version.schema.openAPIV3Schema.properties.spec;
    expect(schema["x-kubernetes-preserve-unknown-fields"]).toBe(true);
    expect(schema.properties.smcEnabled.type).toBe("boolean");
  });
});
