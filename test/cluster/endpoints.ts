import type { Api } from "./api.ts";

export interface EndpointPort {
  readonly name: string;
  readonly port: number;
}

/**
 * Writes the EndpointSlice of a Service, as the endpoint controller would: for a Service without a selector, whose
 * server is no pod. Called again, it replaces the addresses.
 */
export async function setEndpoints(
  api: Api,
  namespace: string,
  service: string,
  addresses: readonly string[],
  ports: readonly EndpointPort[],
): Promise<void> {
  const name = `${service}-by-test`;
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${name}`;
  await api.expect("PATCH", `${path}?fieldManager=cluster-for-tests&force=true`, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: ports.map((port) => ({ ...port, protocol: "TCP" })),
  });
}
