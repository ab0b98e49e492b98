import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { V1ClusterRole } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { issueLeaf } from "../../certs/issue.ts";
import { order } from "../admission/scene.ts";
import { addNamespaces, create, expectPlain, judgeNode, mishaps, pod, podsOf, untilInjecting } from "./pods.ts";
import { readSecret, SECRET, trustedRoots, writeSecret } from "./served.ts";
import { SYSTEM, type System, startSystem, WEBHOOK } from "./system.ts";

const MANIFESTS = fileURLToPath(new URL("../../manifests/", import.meta.url));
const BASE = `${MANIFESTS}base`;
const ACCOUNT = `system:serviceaccount:${SYSTEM}:${WEBHOOK}`;

let system: System;

beforeAll(async () => {
  system = await startSystem();
  await judgeNode(system, "node-1", "Eligible");
  await addNamespaces(system, { shop: {} });
  await untilInjecting(system, "shop");
});
afterAll(() => system?.stop());

describe("kubectl apply -k manifests/base", () => {
  /** Every object of the manifests, as the API server has it: version and generation. */
  const versions = async () => {
    const { stdout } = await system.kubectl(`get -k ${BASE} -o json`);
    const items: readonly { kind: string; metadata: { resourceVersion: string; generation?: number } }[] =
      JSON.parse(stdout).items;
    return items.map(({ kind, metadata }) => `${kind} ${metadata.resourceVersion} ${metadata.generation}`);
  };

  test("changes nothing when it is repeated, and says so", async () => {
    expect(await trustedRoots(system), "the CA bundle has been published").toHaveLength(1);
    const before = await versions();
    const { stdout, stderr } = await system.kubectl(`apply -k ${BASE}`);
    expect(await versions()).toEqual(before);
    const changed = stdout.split("\n").filter((line) => line !== "" && !line.endsWith(" unchanged"));
    // The selector of policy/v1 has the patch strategy `replace`: kubectl sends it each time, changed or not.
    expect(changed).toEqual([`poddisruptionbudget.policy/${WEBHOOK} configured`]);
    expect(stderr).toBe("");
    expect(await trustedRoots(system), "nor the CA bundle").toHaveLength(1);
  });

  test("leaves nothing for kubectl diff to find, with the CA bundle published", async () => {
    const outcome = await system.cluster.kubectl(["diff", "-k", BASE]);
    expect(outcome).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

describe("the API server takes, strictly validated,", () => {
  const dryRun = (folder: string) => system.kubectl(`apply --dry-run=server --validate=strict -k ${folder}`);

  test.each(["base", "samples/fortio"])("manifests/%s", async (folder) => {
    const { stdout, stderr } = await dryRun(`${MANIFESTS}${folder}`);
    expect(stdout).toContain("(server dry run)");
    expect(stderr).toBe("");
  });

  test("manifests/components/old-clusters on top of the base, which drops the matchConditions", async () => {
    const folder = join(system.cluster.folder, "old-clusters");
    await mkdir(folder);
    const [base, component] = ["base", "components/old-clusters"].map((each) => relative(folder, MANIFESTS + each));
    await writeFile(join(folder, "kustomization.yaml"), JSON.stringify({ resources: [base], components: [component] }));
    const { stdout, stderr } = await dryRun(folder);
    expect(stdout).toMatch(new RegExp(`mutatingwebhookconfiguration.*/${WEBHOOK} configured \\(server dry run\\)`));
    expect(stderr).toBe("");
  });
});

describe("the rights in rbac.yaml", () => {
  /** By verb and resource, and by name where the rule says one. */
  async function granted(): Promise<ReadonlySet<string>> {
    const documents = parseAllDocuments(await readFile(`${BASE}/rbac.yaml`, "utf8"));
    const roles: V1ClusterRole[] = documents.map((each) => each.toJS()).filter(({ kind }) => kind.endsWith("Role"));
    return new Set(
      roles.flatMap(({ rules = [] }) =>
        rules.flatMap(({ verbs, resources = [], resourceNames = [""] }) =>
          verbs.flatMap((verb) => resources.flatMap((each) => resourceNames.map((name) => `${verb} ${each} ${name}`))),
        ),
      ),
    );
  }

  test("are those that are used in a life of edits, rotation and loss, and no others; nothing was forbidden", async () => {
    await system.setSwitch(false);
    await system.setSwitch(true);
    await judgeNode(system, "node-2", "Eligible");
    await judgeNode(system, "node-2", "NoRdmaDevice");
    await rotate();
    await system.cluster.api.expect("DELETE", SECRET);
    await expect.poll(() => readSecret(system).catch(() => undefined), { timeout: 30_000 }).toBeDefined();
    await untilInjecting(system, "shop");

    const rights = await granted();
    const events = await system.cluster.auditEvents(({ user }) => user.username === ACCOUNT);
    const used = events.flatMap(({ verb, objectRef }) => {
      // Every account may ask who it is: the answer carries the API server's time.
      if (objectRef?.resource === "selfsubjectreviews") return [];
      const byKind = `${verb} ${objectRef?.resource} `;
      const byName = byKind + (objectRef?.name ?? "");
      return [rights.has(byKind) ? byKind : byName];
    });
    expect([...new Set(used)].sort()).toEqual([...rights].sort());
    const forbidden = events.filter(({ responseStatus }) => responseStatus?.code === 403);
    expect(forbidden.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
  });

  /** Puts a leaf into the Secret that is due for renewal, and waits for the next one. */
  async function rotate(): Promise<void> {
    const { "ca.crt": cert, "ca.key": key } = await readSecret(system);
    const now = new Date(Date.now() - 25 * 86_400_000);
    const old = await issueLeaf({ ca: { cert, key }, now, dnsNames: [`${WEBHOOK}.${SYSTEM}.svc`], ipAddresses: [] });
    await writeSecret(system, { "tls.crt": old.cert, "tls.key": old.key });
    const leaf = async () => (await readSecret(system))["tls.crt"];
    await expect.poll(leaf, { timeout: 30_000 }).not.toBe(old.cert);
  }
});

test("no pod was refused, and no call failed", async () => {
  expect(await mishaps(system)).toEqual([]);
});

test("kubectl delete -k manifests/base, while pods are made: they start all the same, and nothing is left behind", async () => {
  let made = 0;
  let going = true;
  const making = (async () => {
    while (going) await create(system, "shop", pod(`meanwhile-${made++}`));
  })();
  try {
    await expect.poll(() => made, { timeout: 10_000 }).toBeGreaterThan(2);
    await system.kubectl(`delete -k ${BASE}`);
    const during = made;
    await expect.poll(() => made, { timeout: 30_000 }).toBeGreaterThan(during + 2);
  } finally {
    going = false;
    await making;
  }
  await system.kubectl("wait -n shop --for=condition=ready pod --all --timeout=30s");
  const pods = await podsOf(system, "shop");
  expect(pods).toHaveLength(made);
  const named = (name: string) => pods.find(({ metadata }) => metadata?.name === name) ?? {};
  expect(order(named("meanwhile-0")), "injected pods stay as they are").toEqual(["smc-init"]);
  expectPlain(named(`meanwhile-${made - 1}`));

  const kinds = (await system.kubectl("api-resources --verbs=list -o name")).stdout.trim().split("\n");
  // What happened is told for an hour; pods are the test's own, and so is their namespace.
  const kept = kinds.filter((kind) => !/^(events|pods)(\.|$)/.test(kind));
  const left = (await system.kubectl(`get ${kept.join(",")} -A -o name --ignore-not-found`)).stdout;
  expect(left.split("\n").filter((name) => /smc|asmmesh/.test(name))).toEqual([]);
});
