import { LABEL } from "../../webhook/admission/names.ts";
import { type System, WEBHOOK } from "./system.ts";

export const CONFIGURATION = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${WEBHOOK}`;

/** A namespace that has opted in, and nodes of the system that can do SMC: what injected pods need. */
export async function openShop({ cluster: { api }, kubectl }: System, name = "shop"): Promise<void> {
  const labels = { [LABEL.injection]: "enabled" };
  await kubectl("apply -f -", { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  await kubectl(`label nodes node-1 node-2 ${LABEL.eligible}=true ${LABEL.method}=bpf --overwrite`);
  // Pods can be made as soon as their ServiceAccount is there.
  while ((await api.request("GET", `/api/v1/namespaces/${name}/serviceaccounts/default`)).status !== 200);
}

/** What pods meet while the webhook is away: `Fail` refuses them, `Ignore` lets them go uninjected. */
export async function setFailurePolicy({ cluster: { api } }: System, failurePolicy: "Fail" | "Ignore"): Promise<void> {
  const { webhooks } = (await api.expect("GET", CONFIGURATION)).json;
  const patch = webhooks.map(({ name }: { name: string }) => ({ name, failurePolicy }));
  await api.expect("PATCH", CONFIGURATION, { webhooks: patch }, "strategic-merge");
}

/** Gives one of the namespaces a webhook of its own, the same but for its failurePolicy, which is Ignore; the rest Fail. */
export async function ignoreFailuresIn({ cluster: { api } }: System, namespace: string): Promise<void> {
  const configuration = (await api.expect("GET", CONFIGURATION)).json;
  const [webhook] = configuration.webhooks;
  const selecting = (operator: "In" | "NotIn") => {
    const { matchLabels, matchExpressions } = webhook.namespaceSelector;
    const only = { key: "kubernetes.io/metadata.name", operator, values: [namespace] };
    return { matchLabels, matchExpressions: [...matchExpressions, only] };
  };
  const webhooks = [
    { ...webhook, failurePolicy: "Fail", namespaceSelector: selecting("NotIn") },
    { ...webhook, name: `ignoring.${webhook.name}`, failurePolicy: "Ignore", namespaceSelector: selecting("In") },
  ];
  await api.expect("PUT", CONFIGURATION, { ...configuration, webhooks });
}
