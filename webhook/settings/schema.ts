import Type, { type Static } from "typebox";
import {
  DNS,
  factor,
  group,
  HOST,
  IMAGE,
  integer,
  list,
  NAME,
  oneOf,
  QUANTITY,
  SOME_OF_IT,
  SUBDOMAIN,
  text,
} from "./field-kinds.ts";

const listener = (description: string, host: string, port: number) =>
  group(description, {
    host: text(host, HOST, "an IP address or a host name", "The address to listen on."),
    port: integer(port, 0, 65535, "The port; 0 takes any free one."),
  });

/**
 * The one schema of the settings file: defaults, what is accepted, and what each field is for. The table in the
 * README is made from it.
 */
export const SettingsSchema = group("", {
  listen: group("Where the service listens. A change takes effect at the next start.", {
    https: listener("Admission: `/mutate`, `/healthz`, `/readyz`.", "0.0.0.0", 8443),
    http: listener(
      "Config service: `/config`, `/nodes`, `/explain`, `/metrics`, `/healthz`, `/readyz`.",
      "0.0.0.0",
      8080,
    ),
  }),
  mesh: group("Where the mesh's state is read from. A change takes effect at the next start.", {
    source: oneOf(
      ["embedded", "kubernetes"],
      "embedded",
      "`embedded`: a folder of Kubernetes YAML. `kubernetes`: watches on an API server.",
    ),
    folder: text(
      "/etc/smc-webhook/mesh",
      "^[^\\u0000]+$",
      "a folder's path",
      "The folder with ASMMeshConfig, Node and Namespace objects; a relative path starts at the settings file.",
    ),
    kubeconfig: text(
      "",
      "^[^\\u0000]*$",
      "a file's path, or nothing",
      "How to reach the cluster whose pods are admitted: for `kubernetes`, and for a certificate in a Secret. Empty: by the pod's ServiceAccount, else by `$KUBECONFIG` or `~/.kube/config`.",
    ),
    controlPlaneKubeconfig: text(
      "",
      "^[^\\u0000]*$",
      "a file's path, or nothing",
      "With `kubernetes`: how to reach the cluster that holds the ASMMeshConfig, where that is another one. Empty: it is the same.",
    ),
  }),
  certificates: group("The serving certificate. A change takes effect at the next start.", {
    source: oneOf(
      ["folder", "secret"],
      "folder",
      "`folder`: files. `secret`: a Secret that all replicas share, in the cluster of `mesh.kubeconfig`.",
    ),
    folder: text(
      "/etc/smc-webhook/tls",
      "^[^\\u0000]+$",
      "a folder's path",
      "With `folder`: where `tls.crt`, `tls.key` and `ca.crt` are; a relative path starts at the settings file.",
    ),
    secret: text(
      "smc-webhook-tls",
      SUBDOMAIN,
      "a Secret's name",
      "With `secret`: its name. It is made if absent and `issue` is true.",
    ),
    namespace: text("smc-system", NAME, "a namespace's name", "With `secret`: its namespace."),
    webhookConfiguration: text(
      "smc-webhook",
      `^$|${SUBDOMAIN}`,
      "a MutatingWebhookConfiguration's name, or nothing",
      "With `secret`: where `ca.crt` is published as `caBundle`, in each webhook that calls one of the names below. Empty: somebody else does that.",
    ),
    issue: Type.Boolean({
      default: false,
      description:
        "Issue and renew the certificates there with a CA of our own, kept there as `ca.key`. If not, they are only read.",
      accepts: "true or false",
    }),
    dnsNames: list(
      Type.String({ pattern: DNS, accepts: "a DNS name" }),
      ["smc-webhook.smc-system.svc", "smc-webhook.smc-system.svc.cluster.local", "smc-webhook.smc-system", "localhost"],
      "a list of DNS names",
      "The names an issued certificate is good for.",
    ),
    ipAddresses: list(
      Type.String({ pattern: "^[0-9A-Fa-f.:]+$", accepts: "an IP address" }),
      ["127.0.0.1", "::1"],
      "a list of IP addresses",
      "The addresses an issued certificate is good for.",
    ),
  }),
  initContainer: group("The container that configures SMC in a pod's network namespace.", {
    image: text(
      "smc-webhook/smc-init:0.1.0",
      IMAGE,
      "an image reference: registry/name, with :tag or @sha256:digest",
      "Its image. No annotation can choose another.",
    ),
    imagePullPolicy: oneOf(["IfNotPresent", "Always", "Never"], "IfNotPresent", "Its pull policy."),
    cpu: text(
      "10m",
      SOME_OF_IT + QUANTITY,
      "a quantity above zero, such as 10m",
      "Its CPU request and limit, in pods that are not BestEffort.",
    ),
    memory: text(
      "16Mi",
      SOME_OF_IT + QUANTITY,
      "a quantity above zero, such as 16Mi",
      "Its memory request and limit, in pods that are not BestEffort.",
    ),
    method: oneOf(
      ["auto", "tcp2smc", "bpf"],
      "auto",
      "How sockets become SMC; `auto` takes what the pod's node offers.",
    ),
    sysctls: Type.Unsafe<Record<string, string>>({
      type: "object",
      patternProperties: {
        "^net\\.(?!smc\\.tcp2smc$)[a-z0-9_]+(\\.[a-z0-9_-]+)+$": Type.String({
          pattern: "^[0-9]+( [0-9]+)*$",
          accepts: "whole numbers in quotes, separated by spaces",
        }),
      },
      additionalProperties: Type.Never(),
      default: {},
      description: "More sysctls for the pod's network namespace, by name. `net.smc.tcp2smc` is the method's own.",
      accepts: "names that start with net. (net.smc.wmem), each with a number in quotes; not net.smc.tcp2smc",
    }),
    pnetId: text(
      "",
      "^[A-Z0-9]{0,16}$",
      "at most 16 upper-case letters and digits, or nothing",
      "The PNET id that the pod's interface is bound to; empty binds none.",
    ),
    ipv6: oneOf(
      ["keep", "disable-dual"],
      "keep",
      "`disable-dual` turns IPv6 off in pods that have IPv4 too: SMC does not speak IPv6.",
    ),
    onFailure: oneOf(
      ["tcp", "fail"],
      "tcp",
      "Where a pod cannot be configured: `tcp` lets it run over TCP, `fail` keeps it from starting.",
    ),
  }),
  sidecar: group("How the mesh's sidecar is known.", {
    containerName: text("istio-proxy", NAME, "a container's name", "The sidecar's name, in either list of containers."),
    initContainerNames: list(
      Type.String({ pattern: NAME, accepts: "a container's name" }),
      ["istio-init", "istio-validation"],
      "a list of container names",
      "Init containers that stay in front of `smc-init` where they lead the list.",
    ),
    defaultUid: integer(1337, 0, 4294967294, "The uid that the sidecar's image runs as where the pod does not say."),
  }),
  relaxations: group("What is relaxed in an injected pod's sidecar.", {
    cpuLimit: factor(2, "Multiplies the CPU limit, never where that would change the pod's QoS class; 1 keeps it."),
    memoryLimit: factor(1, "Multiplies the memory limit, under the same condition; 1 keeps it."),
    capabilities: list(
      Type.String({ pattern: "^(?!CAP_)[A-Z][A-Z_]+$", accepts: "a capability without CAP_, such as IPC_LOCK" }),
      [],
      "a list of capabilities without CAP_, such as IPC_LOCK",
      "Capabilities to add.",
    ),
    readOnlyRootFilesystem: oneOf(["keep", "off"], "keep", "`off` makes the root file system writable."),
    allowPrivilegeEscalation: oneOf(["keep", "on"], "keep", "`on` allows privilege escalation."),
    seccompProfile: oneOf(["keep", "Unconfined"], "keep", "`Unconfined` takes the seccomp profile away."),
  }),
  placement: group("Where injected pods should run.", {
    mode: oneOf(
      ["prefer", "require", "ignore"],
      "prefer",
      "`prefer` or `require` nodes that can do SMC, or `ignore` the matter. A pod's annotation overrides it.",
    ),
    weight: integer(100, 1, 100, "The weight of the preference."),
  }),
  podSecurity: group("What Kubernetes' Pod Security Admission is set to where a namespace's label does not say.", {
    default: oneOf(["privileged", "baseline", "restricted"], "privileged", "The API server's default level."),
    exemptNamespaces: list(
      Type.String({ pattern: NAME, accepts: "a namespace's name" }),
      [],
      "a list of namespaces",
      "Namespaces that the API server exempts.",
    ),
  }),
  ipFamilies: list(
    Type.Enum(["IPv4", "IPv6"], { accepts: "IPv4, IPv6" }),
    ["IPv4"],
    "a list of IPv4, IPv6 or both",
    "The IP families that the cluster gives its pods. Pods with IPv6 alone get a warning: SMC does not speak it.",
  ),
  shutdown: group("How the service ends on SIGTERM.", {
    drainSeconds: integer(
      5,
      0,
      300,
      "How long requests are still taken after readiness has turned false, so that every client has noticed.",
    ),
    graceSeconds: integer(25, 1, 600, "How long after SIGTERM the process ends at the latest, whatever is open."),
  }),
  log: group("The log: JSON lines on standard output.", {
    level: oneOf(["debug", "info", "warn", "error"], "info", "The lowest level that is written."),
  }),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Settings = DeepReadonly<Static<typeof SettingsSchema>>;

/** The settings that the decision depends on. */
export type AdmissionSettings = Pick<
  Settings,
  "initContainer" | "sidecar" | "relaxations" | "placement" | "podSecurity" | "ipFamilies"
>;
