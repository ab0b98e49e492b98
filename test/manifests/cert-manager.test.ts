import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseSettings } from "../../webhook/settings/load.ts";

const MANIFESTS = fileURLToPath(new URL("../../manifests/", import.meta.url));
const COMPONENT = `${MANIFESTS}components/cert-manager/`;

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: object };
  readonly [field: string]: ReturnType<typeof JSON.parse>;
}

const read = (path: string): readonly Manifest[] =>
  parseAllDocuments(readFileSync(path, "utf8")).map((document) => document.toJS());

function settingsOf(manifests: readonly Manifest[]) {
  const map = manifests.find(({ kind }) => kind === "ConfigMap");
  const parsed = parseSettings(map?.data["settings.yaml"], "settings.yaml");
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.settings;
}

const settings = settingsOf(read(`${COMPONENT}settings.yaml`));
const written = read(`${COMPONENT}certificates.yaml`);
const named = (kind: string, name: string) => {
  const found = written.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
};

describe("the cert-manager component", () => {
  const serving = written.find(
    ({ kind, spec }) => kind === "Certificate" && spec.secretName === settings.certificates.secret,
  );
  if (!serving) throw new Error("no Certificate writes the Secret that the settings name");

  it("writes the Secret that the settings read, for the Service that the webhook is called by", () => {
    expect(settings.certificates).toMatchObject({ source: "secret", issue: false, webhookConfiguration: "" });
    expect(serving.metadata.namespace).toBe(settings.certificates.namespace);
    const [webhook] = parse(readFileSync(`${MANIFESTS}base/webhook-configuration.yaml`, "utf8")).webhooks;
    const { name, namespace } = webhook.clientConfig.service;
    expect(serving.spec.dnsNames).toContain(`${name}.${namespace}.svc`);
    expect(serving.spec.usages).toContain("server auth");
  });

  it("has a chain of issuers from a root that signs itself, to a CA, to the serving certificate", () => {
    const issuer = named("Issuer", serving.spec.issuerRef.name);
    const ca = written.find(
      ({ kind, spec }) => kind === "Certificate" && spec.secretName === issuer.spec.ca.secretName,
    );
    expect(ca?.spec).toMatchObject({ isCA: true, commonName: expect.stringMatching(/./) });
    expect(named("Issuer", ca?.spec.issuerRef.name).spec).toEqual({ selfSigned: {} });
  });

  it("has caBundle injected from the serving certificate", () => {
    const [configuration] = read(`${COMPONENT}webhook-configuration.yaml`);
    expect(configuration?.metadata.annotations).toEqual({
      "cert-manager.io/inject-ca-from": `${serving.metadata.namespace}/${serving.metadata.name}`,
    });
  });

  it("changes no other setting of the base", () => {
    const { certificates: _, ...others } = settings;
    const { certificates: __, ...base } = settingsOf(read(`${MANIFESTS}base/settings.yaml`));
    expect(others).toEqual(base);
  });

  const rendered = render();
  if (!rendered) console.warn("no kubectl with kustomize components is here: the component is not rendered");
  it.runIf(rendered)("renders over the base, and takes the right to write away", () => {
    const all = rendered ?? [];
    const kinds = all.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    for (const { kind, metadata } of written) expect(kinds).toContain(`${kind}/${metadata.name}`);
    const configuration = all.find(({ kind }) => kind === "MutatingWebhookConfiguration");
    const [base] = read(`${MANIFESTS}base/webhook-configuration.yaml`);
    expect(configuration?.metadata.annotations).toHaveProperty(["cert-manager.io/inject-ca-from"]);
    expect(configuration?.webhooks).toEqual(base?.webhooks);
    expect(settingsOf(all)).toEqual(settings);
    const rules = all.filter(({ kind }) => ["Role", "ClusterRole"].includes(kind)).flatMap(({ rules }) => rules);
    for (const { verbs } of rules) expect(["get", "list", "watch"]).toEqual(expect.arrayContaining(verbs));
  });
});

/** Base and component by kubectl, or nothing where there is none that knows components (before 1.21). */
function render(): readonly Manifest[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), "overlay-"));
  try {
    const kustomization = {
      kind: "Kustomization",
      resources: [relative(folder, `${MANIFESTS}base`)],
      components: [relative(folder, COMPONENT)],
    };
    writeFileSync(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    const version: string = execFileSync("kubectl", ["version", "--client", "-o", "json"], { encoding: "utf8" });
    if (Number.parseInt(JSON.parse(version).clientVersion.minor, 10) < 21) return undefined;
    const text = execFileSync("kubectl", ["kustomize", folder], { encoding: "utf8" });
    return parseAllDocuments(text).map((document) => document.toJS());
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
