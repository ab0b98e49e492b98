import { issueCa, issueLeaf } from "../../certs/issue.ts";

export interface Echo {
  /** PEM, as a folder or a Secret has them. */
  readonly files: Readonly<Record<"tls.crt" | "tls.key", string>>;
  readonly service: object;
  readonly configuration: object;
}

/** The Service and the configuration of an echo webhook, and its certificate. */
export async function echoIn(namespace: string, selector?: Readonly<Record<string, string>>): Promise<Echo> {
  const now = new Date();
  const ca = await issueCa({ now });
  const leaf = await issueLeaf({ ca, now, dnsNames: [`echo.${namespace}.svc`], ipAddresses: [] });
  return {
    files: { "tls.crt": leaf.cert, "tls.key": leaf.key },
    service: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "echo", namespace },
      spec: { ports: [{ name: "https", port: 443, targetPort: 8443 }], ...(selector && { selector }) },
    },
    configuration: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: `echo-${namespace}` },
      webhooks: [
        {
          name: "pods.echo.test",
          admissionReviewVersions: ["v1"],
          clientConfig: {
            service: { name: "echo", namespace, path: "/mutate", port: 443 },
            caBundle: Buffer.from(ca.cert).toString("base64"),
          },
          rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
          namespaceSelector: { matchLabels: { echo: namespace } },
          failurePolicy: "Fail",
          sideEffects: "None",
        },
      ],
    },
  };
}

/** Two replicas of an echo webhook as pods, with their certificate from a Secret. */
export function echoDeployment(namespace: string, { files }: Echo): object[] {
  const labels = { app: "echo" };
  const container = {
    name: "echo",
    image: "smc-webhook-tests",
    command: ["node", "test/cluster/echo-webhook.ts", "/etc/echo/tls"],
    env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
    ports: [{ name: "https", containerPort: 8443 }],
    readinessProbe: { httpGet: { path: "/readyz", port: "https", scheme: "HTTPS" }, periodSeconds: 1 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [{ name: "tls", mountPath: "/etc/echo/tls", readOnly: true }],
  };
  const spec = {
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container],
    volumes: [{ name: "tls", secret: { secretName: "echo-tls" } }],
  };
  return [
    { apiVersion: "v1", kind: "Secret", metadata: { name: "echo-tls", namespace }, stringData: files },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "echo", namespace },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
  ];
}
