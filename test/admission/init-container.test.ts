import type { V1EnvVar, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { type Asked, ask, container, injected, named, order, pod, settings, sidecar } from "./scene.ts";

const INIT = container("istio-init");
const VALIDATION = container("istio-validation");
const NATIVE = sidecar();
const OTHER_NATIVE = container("log-shipper", { restartPolicy: "Always" });

describe("smc-init's place", () => {
  it.each([
    ["alone where the list is absent", undefined, "smc-init"],
    ["alone where the list is null", null, "smc-init"],
    ["alone where the list is empty", [], "smc-init"],
    ["behind istio-init", [INIT], "istio-init smc-init"],
    ["behind istio-validation", [VALIDATION], "istio-validation smc-init"],
    ["behind both", [INIT, VALIDATION], "istio-init istio-validation smc-init"],
    ["before a native sidecar", [NATIVE], "smc-init istio-proxy"],
    ["between istio-init and the native sidecar", [INIT, NATIVE], "istio-init smc-init istio-proxy"],
    [
      "before a native sidecar of another kind",
      [OTHER_NATIVE, INIT, NATIVE],
      "smc-init log-shipper istio-init istio-proxy",
    ],
    ["before istio-init where that does not lead", [container("migrate"), INIT], "smc-init migrate istio-init"],
    ["before the author's own", [container("migrate"), container("warm")], "smc-init migrate warm"],
    ["behind istio-init, before the author's own", [INIT, container("migrate")], "istio-init smc-init migrate"],
    ["before an istio-init that never ends", [{ ...INIT, restartPolicy: "Always" }], "smc-init istio-init"],
  ])("is %s", (_, initContainers, expected) => {
    expect(order(injected(pod({ initContainers }))).join(" ")).toBe(expected);
  });

  it("is right at once in a pod with a dozen of it, and the sidecar behind them is relaxed all the same", () => {
    const many = pod({ initContainers: [INIT, ...Array.from({ length: 12 }, () => container("smc-init")), NATIVE] });
    const after = injected(many);
    expect(order(after)).toEqual(["istio-init", "smc-init", "istio-proxy"]);
    expect(named(after, "istio-proxy").resources?.limits?.cpu).toBe("4");
    expect(ask(after).patch).toEqual([]);
  });

  it("is the first, where no init container is set to lead", () => {
    const changed = settings({ sidecar: { initContainerNames: [] } });
    expect(order(injected(pod({ initContainers: [INIT] }), { settings: changed }))).toEqual(["smc-init", "istio-init"]);
  });

  const OURS = container("smc-init");
  it.each([
    ["last", [INIT, NATIVE, OURS], "istio-init smc-init istio-proxy"],
    ["before istio-init", [OURS, INIT, NATIVE], "istio-init smc-init istio-proxy"],
    ["between two that lead", [INIT, OURS, VALIDATION], "istio-init istio-validation smc-init"],
    ["twice", [INIT, OURS, OURS, NATIVE], "istio-init smc-init istio-proxy"],
    ["twice, both out of place", [OURS, INIT, NATIVE, OURS], "istio-init smc-init istio-proxy"],
    ["three times", [OURS, INIT, OURS, NATIVE, container("migrate"), OURS], "istio-init smc-init istio-proxy migrate"],
    ["three times and nothing else", [OURS, OURS, OURS], "smc-init"],
  ])("is put right where it was found %s", (_, initContainers, expected) => {
    const once = injected(pod({ initContainers }));
    expect(order(once).join(" ")).toBe(expected);
    expect(ask(once).patch).toEqual([]);
  });

  it("is a regular container's name that is taken", () => {
    const admission = ask(pod({ containers: [container("app"), OURS] }));
    expect(admission.decision.reason).toBe("NameTaken");
    expect(admission.patch).toEqual([]);
  });
});

const env = (object: V1Pod): Record<string, string | undefined> =>
  Object.fromEntries((named(object, "smc-init").env ?? []).map(({ name, value }: V1EnvVar) => [name, value]));
const envWith = (initContainer: Parameters<typeof settings>[0]) =>
  env(injected(pod(), { settings: settings(initContainer) }));

describe("smc-init's environment", () => {
  it("says by default to take what the node offers, and to go on over TCP", () => {
    expect(env(injected(pod()))).toEqual({
      SMC_METHOD: "auto",
      SMC_SOCKETS: "all",
      SMC_IPV6: "keep",
      SMC_ON_FAILURE: "tcp",
    });
  });

  it("has the method", () => {
    expect(envWith({ initContainer: { method: "bpf" } })).toMatchObject({ SMC_METHOD: "bpf" });
  });

  it("has the sysctls in the order of their names", () => {
    const sysctls = { "net.smc.wmem": "262144", "net.core.somaxconn": "1024", "net.ipv4.tcp_rmem": "1 2 3" };
    expect(envWith({ initContainer: { sysctls } })).toMatchObject({
      SMC_SYSCTLS: "net.core.somaxconn=1024,net.ipv4.tcp_rmem=1 2 3,net.smc.wmem=262144",
    });
  });

  it("has the PNET id", () => {
    expect(envWith({ initContainer: { pnetId: "NET1" } })).toMatchObject({ SMCR_PNET: "NET1" });
  });

  it("says what to do about IPv6 and about a failure", () => {
    expect(envWith({ initContainer: { ipv6: "disable-dual", onFailure: "fail" } })).toMatchObject({
      SMC_IPV6: "disable-dual",
      SMC_ON_FAILURE: "fail",
    });
  });
});

describe("whose sockets become SMC", () => {
  const socketsOf = (spec: object, asked: Asked = {}) => env(injected(pod(spec), asked)).SMC_SOCKETS;
  const running = (runAsUser: unknown) => [sidecar({ restartPolicy: "Always", securityContext: { runAsUser } })];

  it("are everyone's where there is no sidecar", () => {
    expect(socketsOf({})).toBe("all");
  });

  it("are those of the uid that the sidecar runs as", () => {
    expect(socketsOf({ initContainers: running(2102), securityContext: { runAsUser: 1000 } })).toBe("uid:2102");
    expect(socketsOf({ initContainers: running(0) })).toBe("uid:0");
  });

  it("are those of a regular sidecar too", () => {
    expect(socketsOf({ containers: [container("app"), ...running(1337)] })).toBe("uid:1337");
  });

  it("are those of the pod's uid where the sidecar does not say", () => {
    expect(socketsOf({ initContainers: running(null), securityContext: { runAsUser: 1000 } })).toBe("uid:1000");
  });

  it("are those of the image's uid where neither says", () => {
    expect(socketsOf({ initContainers: [container("istio-proxy")] })).toBe("uid:1337");
    const changed = settings({ sidecar: { containerName: "proxy", defaultUid: 101 } });
    expect(socketsOf({ containers: [container("proxy")] }, { settings: changed })).toBe("uid:101");
  });

  it("are the sidecar's once it arrives in a later round", () => {
    const first = injected(pod({ initContainers: null }));
    expect(env(first).SMC_SOCKETS).toBe("all");
    const later = structuredClone(first);
    later.spec?.initContainers?.unshift(NATIVE as never);
    const second = injected(later);
    expect(env(second).SMC_SOCKETS).toBe("uid:1337");
    expect(order(second)).toEqual(["smc-init", "istio-proxy"]);
    expect(ask(second).patch).toEqual([]);
  });
});

describe("smc-init's image", () => {
  it("is the setting's, whatever the pod says", () => {
    const image = `registry.internal:5000/smc-init@sha256:${"a".repeat(64)}`;
    const changed = settings({ initContainer: { image, imagePullPolicy: "Never" } });
    const asking = pod({}, { "smc.asm.alibabacloud.com/image": "evil.example/x:1" });
    expect(named(injected(asking, { settings: changed }), "smc-init")).toMatchObject({
      image,
      imagePullPolicy: "Never",
    });
  });
});

describe("smc-init's resources", () => {
  const resourcesOf = (spec: object, asked: Asked = {}) => named(injected(pod(spec), asked), "smc-init").resources;
  const with_ = (resources: object, rest: object = {}) => ({ containers: [container("app", { resources })], ...rest });
  const BOTH = { cpu: "10m", memory: "16Mi" };

  it("are requests equal to limits", () => {
    expect(resourcesOf(with_({ requests: { cpu: "1" } }))).toEqual({ limits: BOTH, requests: BOTH });
    expect(resourcesOf(with_({ limits: { cpu: "1", memory: "1Gi" } }))).toEqual({ limits: BOTH, requests: BOTH });
  });

  it("are none in a BestEffort pod", () => {
    expect(resourcesOf({})).toEqual({});
    expect(resourcesOf(with_({ limits: { "example.com/nic": "1" }, requests: { cpu: "0" } }))).toEqual({});
  });

  it("are none where the pod has resources of its own", () => {
    const own = { resources: { limits: { cpu: "2", memory: "1Gi" } } };
    expect(resourcesOf(with_({ requests: { cpu: "1" } }, own))).toEqual({});
    expect(resourcesOf(with_({ requests: { cpu: "1" } }, { resources: {} }))).toEqual({});
  });

  it("are written as the API server writes them", () => {
    const changed = settings({ initContainer: { cpu: "0.0251", memory: "1024Ki" } });
    expect(resourcesOf(with_({ requests: { cpu: "1" } }), { settings: changed })?.limits).toEqual({
      cpu: "26m",
      memory: "1Mi",
    });
  });

  it("come once a sidecar with resources arrives", () => {
    const later = structuredClone(injected(pod()));
    later.spec?.initContainers?.unshift(NATIVE as never);
    expect(named(injected(later), "smc-init").resources).toEqual({ limits: BOTH, requests: BOTH });
  });
});
