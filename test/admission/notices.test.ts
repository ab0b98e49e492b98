import { describe, expect, it } from "vitest";
import { ask, container, pod, settings, sidecar } from "./scene.ts";

const withSidecar = (spec: object = {}) => pod({ initContainers: [sidecar()], ...spec });
const warnings = (object: unknown, changed = settings()) => ask(object, { settings: changed }).warnings;
const listening = (...ports: readonly unknown[]) =>
  container("app", { ports: ports.map((containerPort) => ({ containerPort })) });

describe("the author of an injected pod", () => {
  it("is not warned where all is well", () => {
    expect(warnings(withSidecar())).toEqual([]);
  });

  it("is told that no sidecar was found, by the name that it should have", () => {
    expect(warnings(pod())).toEqual(["NoSidecar: no container istio-proxy found: every socket of the pod becomes SMC"]);
    expect(warnings(withSidecar(), settings({ sidecar: { containerName: "proxy" } }))[0]).toContain("container proxy");
  });

  it("is told of ports that eRDMA reserves, each once", () => {
    const containers = [listening(65499, 65500, 65515), listening(65516, 65500, 80, null)];
    expect(warnings(withSidecar({ containers }))).toEqual([
      "ReservedPort: eRDMA reserves ports 65500-65515; the pod may fail to listen on 65500, 65515",
    ]);
  });

  it("is told of an init container's port too", () => {
    const initContainers = [sidecar(), { ...listening(65510), name: "shipper", restartPolicy: "Always" }];
    expect(warnings(pod({ initContainers }))[0]).toMatch(/ReservedPort: .* 65510$/);
  });

  it("is told of every reserved port in one warning that fits", () => {
    const all = Array.from({ length: 16 }, (_, index) => 65500 + index);
    const [warning = ""] = warnings(withSidecar({ containers: [listening(...all)] }));
    expect(warning.length).toBeLessThanOrEqual(120);
  });

  it("is not bothered about container ports of null", () => {
    expect(warnings(withSidecar({ containers: [container("app", { ports: null }), listening(null)] }))).toEqual([]);
  });

  const ONLY_6 = "Ipv6Only: the pod has IPv6 alone, and SMC speaks IPv4 alone: it will use TCP";
  const withAddresses = (...ips: readonly unknown[]) => ({
    ...withSidecar(),
    status: { podIPs: ips.map((ip) => ({ ip })) },
  });

  it.each<readonly [string, object, readonly ("IPv4" | "IPv6")[], readonly string[]]>([
    ["in a cluster of IPv6", withSidecar(), ["IPv6"], [ONLY_6]],
    ["in a cluster of both", withSidecar(), ["IPv4", "IPv6"], []],
    ["with addresses of its own, in a cluster of IPv6", withAddresses("10.0.0.1", "fd00::1"), ["IPv6"], []],
    ["with an address of IPv6, in a cluster of both", withAddresses("fd00::1"), ["IPv4", "IPv6"], [ONLY_6]],
    ["with no address yet", withAddresses(null, ""), ["IPv4"], []],
    ["with a status of null", { ...withSidecar(), status: null }, ["IPv4"], []],
  ])("is told where the pod has IPv6 alone: %s", (_, object, ipFamilies, expected) => {
    expect(warnings(object, { ...settings(), ipFamilies })).toEqual(expected);
  });

  it("is not warned of a pod that is left alone but of the reason", () => {
    const admission = ask(pod({ hostNetwork: true, containers: [listening(65500)] }));
    expect(admission.warnings).toHaveLength(1);
    expect(admission.notices).toEqual([]);
  });
});
