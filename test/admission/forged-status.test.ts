import { describe, expect, it } from "vitest";
import { ANNOTATION } from "../../webhook/admission/names.ts";
import { ask, injected, named, pod, settings, sidecar } from "./scene.ts";

const asked = {
  settings: settings({
    relaxations: { cpuLimit: 2, memoryLimit: 1, capabilities: ["IPC_LOCK"], readOnlyRootFilesystem: "off" },
  }),
};
const withStatus = (status: string) => pod({ initContainers: [sidecar()] }, { [ANNOTATION.status]: status });
const relaxed = (records: object) => withStatus(JSON.stringify({ version: "9.9.9", relaxed: records }));
const proxyOf = (object: unknown) => named(injected(object, asked), "istio-proxy");

const RELAXED = proxyOf(pod({ initContainers: [sidecar()] }));

describe("a status annotation that the pod's author wrote", () => {
  it.each([
    "",
    "{",
    "null",
    "7",
    "[]",
    '"relaxed"',
    '{"relaxed":null}',
    '{"relaxed":[]}',
    '{"relaxed":"cpuLimit"}',
    '{"relaxed":{"cpuLimit":null}}',
    '{"relaxed":{"cpuLimit":["2","4"]}}',
    '{"relaxed":{"cpuLimit":{"from":"2"}}}',
    '{"relaxed":{"cpuLimit":{"to":"4"}}}',
    '{"relaxed":{"__proto__":{"from":"2","to":"4"}}}',
    '{"__proto__":{"relaxed":{"cpuLimit":{"from":"1","to":"2"}}}}',
    "[".repeat(50_000),
    `{"relaxed":{"deep":{"from":1,"to":${"[".repeat(100_000)}${"]".repeat(100_000)}}}}`,
  ])("is no record, and is written anew: %j", (status) => {
    expect(proxyOf(withStatus(status))).toEqual(RELAXED);
    expect(ask(injected(withStatus(status), asked), asked).patch).toEqual([]);
  });

  it.each<readonly [string, object]>([
    ["a limit that was never doubled", { cpuLimit: { from: "64", to: "128" } }],
    ["a limit that gives another than there is", { cpuLimit: { from: "0.9", to: "2" } }],
    ["a limit of the wrong type", { cpuLimit: { from: { cpu: "1" }, to: "2" } }],
    ["a limit that is no quantity", { cpuLimit: { from: "2x", to: "2" } }],
    ["capabilities that it does not have", { capabilities: { from: ["SYS_ADMIN"], to: ["SYS_ADMIN", "IPC_LOCK"] } }],
    ["capabilities of the wrong type", { capabilities: { from: { includes: "x" }, to: null } }],
    ["a root filesystem that was not read-only", { readOnlyRootFilesystem: { from: "true", to: true } }],
    ["nulls", { cpuLimit: { from: null, to: null }, capabilities: { from: null, to: null } }],
  ])("is not believed where the sidecar does not bear it out: %s", (_, records) => {
    expect(proxyOf(relaxed(records))).toEqual(RELAXED);
  });

  it("adds no capability and no limit that the sidecar does not have", () => {
    const everything = { capabilities: { from: ["ALL"], to: ["ALL"] }, cpuLimit: { from: "500", to: "1000" } };
    expect(proxyOf(relaxed(everything)).securityContext?.capabilities?.add).toEqual(["IPC_LOCK"]);
    expect(proxyOf(relaxed(everything)).resources?.limits).toMatchObject({ cpu: "4" });
  });

  it("keeps the sidecar unrelaxed at most, where it says that this was done", () => {
    expect(proxyOf(relaxed({ cpuLimit: { from: "1", to: "2" } })).resources?.limits).toMatchObject({ cpu: "2" });
  });

  it("is no record where it does not say from what and to what", () => {
    const unconfined = { ...sidecar(), securityContext: { seccompProfile: { type: "Unconfined" } } };
    const half = { [ANNOTATION.status]: '{"relaxed":{"seccompProfile":{"to":{"type":"Unconfined"}}}}' };
    const { metadata } = injected(pod({ initContainers: [unconfined] }, half), {
      settings: settings({ relaxations: { cpuLimit: 1, seccompProfile: "Unconfined" } }),
    });
    expect(JSON.parse(metadata?.annotations?.[ANNOTATION.status] ?? "{}").relaxed).toEqual({});
  });

  it("changes nothing about what is injected", () => {
    const forged = withStatus('{"injected":["smc-init"],"sockets":"uid:0","placement":"ignore","relaxed":{}}');
    expect(injected(forged, asked)).toEqual(injected(pod({ initContainers: [sidecar()] }), asked));
  });
});

describe("a relaxation that this version does not know", () => {
  const warnings = (...names: readonly string[]) =>
    ask(relaxed(Object.fromEntries(names.map((name) => [name, { from: 1, to: 2 }]))), asked).warnings;

  it("is told", () => {
    expect(warnings("hugePages")).toEqual([
      'UnknownRelaxation: another version of the webhook relaxed "hugePages"; left as it is',
    ]);
  });

  it("stays recorded, so that the version that knows it does not relax twice; but not at any size", () => {
    const pod = relaxed({ hugePages: { from: 1, to: 2 }, endless: { from: "x".repeat(1000), to: 1 } });
    const { metadata } = injected(pod, asked);
    const kept = JSON.parse(metadata?.annotations?.[ANNOTATION.status] ?? "{}").relaxed;
    expect(kept).toMatchObject({ cpuLimit: { from: "2", to: "4" }, hugePages: { from: 1, to: 2 } });
    expect(kept).not.toHaveProperty("endless");
  });

  it("is told though it is named like something that objects inherit", () => {
    expect(warnings("constructor", "__proto__")).toHaveLength(2);
  });

  it("is told of ten times at most, in printable ASCII", () => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}\n\u{1f4a5}${"x".repeat(200)}`);
    expect(warnings(...names)).toHaveLength(10);
    for (const warning of warnings(...names)) expect(warning).toMatch(/^[\x20-\x7e]{1,120}$/);
  });
});
