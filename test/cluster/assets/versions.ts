/** What the cluster is made of; the same versions stand in go.mod. etcd's is the one that this Kubernetes is built on. */
export const KUBERNETES = "1.36.3";
const ETCD = "3.6.8";
const KWOK = "0.8.0";

export const BINARIES = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubectl",
  "kwok",
] as const;
export type Binary = (typeof BINARIES)[number];

interface Source {
  /** The Go package that it is built from. */
  readonly package: string;
  /** Arguments that make it tell its version, and what it then says. */
  readonly ask: readonly string[];
  readonly says: string;
}

const kubernetes = (name: Binary, ask: readonly string[] = ["--version"]): Source => ({
  package: `k8s.io/kubernetes/cmd/${name}`,
  ask,
  says: `v${KUBERNETES}`,
});

export const SOURCES: Readonly<Record<Binary, Source>> = {
  etcd: { package: "go.etcd.io/etcd/server/v3", ask: ["--version"], says: `etcd Version: ${ETCD}` },
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  "kube-scheduler": kubernetes("kube-scheduler"),
  kubectl: kubernetes("kubectl", ["version", "--client"]),
  kwok: { package: "sigs.k8s.io/kwok/cmd/kwok", ask: ["--version"], says: `v${KWOK}` },
};
