import type { V1Container, V1Pod } from "@kubernetes/client-node";

/**
 * A stand-in for Istio's injector, written from its documented behaviour: it puts istio-init and a native istio-proxy
 * in front, keeps every other init container behind them, and when it is called again it makes the sidecar anew and
 * moves whatever stands between. It is not Istio: the containers hold what SMC cares about and no more.
 */
export function injectSidecar(pod: V1Pod): V1Pod {
  const annotations = pod.metadata?.annotations ?? {};
  if (annotations["sidecar.istio.io/inject"] !== "true" || !pod.spec) return pod;
  const own = new Set(["istio-init", "istio-proxy"]);
  const others = (pod.spec.initContainers ?? []).filter(({ name }) => !own.has(name));
  return {
    ...pod,
    spec: {
      ...pod.spec,
      initContainers: [init(), proxy(annotations["sidecar.istio.io/proxyCPULimit"] ?? "2"), ...others],
    },
  };
}

const IMAGE = "istio/proxyv2:1.27.0";

function init(): V1Container {
  return {
    name: "istio-init",
    image: IMAGE,
    args: ["istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT", "-i", "*", "-b", "*"],
    resources: resources("2"),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ["NET_ADMIN", "NET_RAW"], drop: ["ALL"] },
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    },
  };
}

function proxy(cpuLimit: string): V1Container {
  return {
    name: "istio-proxy",
    image: IMAGE,
    args: ["proxy", "sidecar"],
    ports: [{ name: "http-envoy-prom", containerPort: 15090, protocol: "TCP" }],
    resources: resources(cpuLimit),
    restartPolicy: "Always",
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
      runAsGroup: 1337,
      runAsNonRoot: true,
      runAsUser: 1337,
    },
  };
}

function resources(cpuLimit: string) {
  return { limits: { cpu: cpuLimit, memory: "1Gi" }, requests: { cpu: "100m", memory: "128Mi" } };
}
