import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { betweenRounds, type Plugins, TOKEN_VOLUME } from "./model/api-server.ts";
import { ask, container, injected, named, pod, sidecar } from "./scene.ts";

const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const TOKEN = { name: TOKEN_VOLUME.name, readOnly: true, mountPath: TOKEN_PATH };

/** Volumes of the author's: of a host's root, and of files of his beside the token. */
const HOST = { name: "host", hostPath: { path: "/" } };
const MIXED = {
  name: "mixed",
  projected: { sources: [...TOKEN_VOLUME.projected.sources, { secret: { name: "evil" } }] },
};

const canonical = injected(
  pod({ initContainers: [container("istio-init"), sidecar()], volumes: [TOKEN_VOLUME, HOST, MIXED] }),
);

/** The canonical pod with its init container changed. */
function altered(change: (ours: V1Container) => object): V1Pod {
  const copy = structuredClone(canonical);
  const list = copy.spec?.initContainers ?? [];
  const at = list.findIndex(({ name }) => name === "smc-init");
  const ours = list[at];
  if (ours) list[at] = { ...ours, ...change(ours) };
  return copy;
}

describe("smc-init, altered by somebody,", () => {
  const everything = { capabilities: { add: ["ALL"] } };
  const mount = (name: string, mountPath: string, more: object = {}) => ({
    volumeMounts: [{ name, mountPath, ...more }],
  });
  it.each<readonly [string, object]>([
    ["image", { image: "evil.example/smc-init:1" }],
    ["imagePullPolicy", { imagePullPolicy: "Never" }],
    ["command", { command: ["/bin/sh", "-c", "cat /etc/shadow"] }],
    ["args", { args: ["--evil"] }],
    ["empty args", { args: [""] }],
    ["env", { env: [{ name: "SMC_SOCKETS", value: "all" }] }],
    ["env, emptied", { env: [] }],
    ["env from elsewhere", { env: [{ name: "SMC_METHOD", valueFrom: { configMapKeyRef: { name: "a", key: "b" } } }] }],
    ["envFrom", { envFrom: [{ configMapRef: { name: "evil" } }] }],
    ["no securityContext", { securityContext: null }],
    ["less of a securityContext", { securityContext: { privileged: false } }],
    ["more of a securityContext", { securityContext: { privileged: true, ...everything } }],
    ["a ConfigMap over its programs", mount("evil", "/usr/local/bin")],
    ["a host path at the root", mount("host", "/host")],
    ["another user's mount beside the token", { volumeMounts: [TOKEN, { name: "evil", mountPath: "/usr/local/bin" }] }],
    ["the host's root in the token's place", mount("host", TOKEN_PATH, { readOnly: true })],
    ["other files in the token's place", mount("mixed", TOKEN_PATH, { readOnly: true })],
    ["no volume in the token's place", mount("nowhere", TOKEN_PATH, { readOnly: true })],
    [
      "a graphics card",
      { resources: { ...named(canonical, "smc-init").resources, limits: { "nvidia.com/gpu": "1" } } },
    ],
    ["a resize policy of another's", { resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] }],
    ["the token's mount, writable", mount("evil", TOKEN_PATH)],
    ["the token's mount with a subPath", { volumeMounts: [{ ...TOKEN, subPath: "../.." }] }],
    ["the token's mount with subPathExpr", { volumeMounts: [{ ...TOKEN, subPathExpr: "$(HOME)" }] }],
    ["the token's mount, propagated", { volumeMounts: [{ ...TOKEN, mountPropagation: "Bidirectional" }] }],
    ["the token's mount below", mount("evil", `${TOKEN_PATH}/x`, { readOnly: true })],
    ["a mount that is none", { volumeMounts: ["x", null, 7, []] }],
    ["volumeDevices", { volumeDevices: [{ name: "disk", devicePath: "/dev/sda" }] }],
    ["lifecycle", { lifecycle: { postStart: { exec: { command: ["sh"] } } } }],
    ["restartPolicy", { restartPolicy: "Always" }],
    ["restartPolicyRules", { restartPolicyRules: [{ action: "Restart" }] }],
    ["a probe", { startupProbe: { exec: { command: ["sh"] } } }],
    ["workingDir", { workingDir: "/tmp" }],
    ["ports", { ports: [{ containerPort: 80 }] }],
    ["stdin", { stdin: true, tty: true }],
    ["terminationMessagePath", { terminationMessagePath: "/dev/null" }],
    ["terminationMessagePolicy", { terminationMessagePolicy: "File" }],
    ["no resources", { resources: {} }],
    ["null resources", { resources: null }],
    ["more cpu", { resources: { limits: { cpu: "64", memory: "16Mi" }, requests: { cpu: "64", memory: "16Mi" } } }],
    ["claims", { resources: { ...named(canonical, "smc-init").resources, claims: [{ name: "gpu" }] } }],
    ["a field that nobody knows", { "x-evil": true }],
  ])("is put right: %s", (_, change) => {
    const found = altered(() => change);
    expect(ask(found).patch).not.toEqual([]);
    const mended = injected(found);
    // What the API server adds may stay; what lies beside it may not.
    const { volumeMounts, ...rest } = named(mended, "smc-init");
    expect(rest).toEqual(named(canonical, "smc-init"));
    expect(volumeMounts ?? [TOKEN]).toEqual([TOKEN]);
    expect({ ...mended.spec, initContainers: [] }).toEqual({ ...canonical.spec, initContainers: [] });
  });

  it("is put right by one operation that replaces it", () => {
    expect(ask(altered(() => ({ image: "evil.example/x:1" }))).patch).toEqual([
      { op: "replace", path: "/spec/initContainers/1", value: named(canonical, "smc-init") },
    ]);
  });
});

describe("what the API server itself adds to smc-init", () => {
  const unchanged = (found: V1Pod) => expect(ask(found).patch).toEqual([]);

  it("may be the service account's token", () => {
    unchanged(altered(() => ({ volumeMounts: [TOKEN] })));
  });

  it("may be the token once: a second mount goes", () => {
    const found = altered(() => ({ volumeMounts: [TOKEN, { ...TOKEN, name: "other" }] }));
    expect(named(injected(found), "smc-init").volumeMounts).toEqual([TOKEN]);
  });

  it("may be a resize policy", () => {
    const resizePolicy = [{ resourceName: "cpu", restartPolicy: "NotRequired" }];
    unchanged(altered(() => ({ resizePolicy })));
  });

  it("may be a LimitRange's default for ephemeral storage", () => {
    const more = (list: object | undefined) => ({ ...list, "ephemeral-storage": "1Gi" });
    unchanged(
      altered(({ resources }) => ({
        resources: { limits: more(resources?.limits), requests: more(resources?.requests) },
      })),
    );
  });

  it("may be a pull policy, where it is Always: the plugin AlwaysPullImages refuses any other", () => {
    unchanged(altered(() => ({ imagePullPolicy: "Always" })));
  });

  const rich = pod({ containers: [container("app", { resources: { requests: { cpu: "1500m", memory: "0.5Gi" } } })] });
  it.each<readonly [string, object, Plugins]>([
    ["its defaults", rich, {}],
    ["its defaults in a BestEffort pod", pod(), {}],
    ["the service account", rich, { serviceAccount: true }],
    ["AlwaysPullImages", rich, { alwaysPullImages: true }],
    ["a LimitRange", rich, { limitRange: { cpu: "500m", memory: "512Mi", "ephemeral-storage": "2Gi" } }],
  ])("does not bring a second patch about: %s", (_, object, plugins) => {
    const first = betweenRounds(object, plugins);
    unchanged(betweenRounds(injected(first), plugins));
  });

  it("stays where smc-init is moved", () => {
    const found = altered(() => ({ volumeMounts: [TOKEN], imagePullPolicy: "Always" }));
    found.spec?.initContainers?.reverse();
    expect(named(injected(found), "smc-init")).toMatchObject({ volumeMounts: [TOKEN], imagePullPolicy: "Always" });
  });
});
