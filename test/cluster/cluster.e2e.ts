import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "./cluster.ts";
import { echoDeployment, echoIn } from "./echo-manifests.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const ECHO = fileURLToPath(new URL("echo-webhook.ts", import.meta.url));

let cluster: Cluster;

beforeAll(async () => {
  const image = { folder: PROJECT, target: "/app", path: "/app/node_modules/.bin" };
  const realPods = { namespaces: ["echo-pods"], images: { "smc-webhook-tests": image } };
  cluster = await startCluster({ realPods });
  await cluster.addNodes([{ name: "node-1", labels: { zone: "a" } }, { name: "node-2" }]);
});
afterAll(() => cluster?.stop());

/** Runs kubectl as the administrator; it must succeed. */
async function kubectl(command: string, stdin?: object | readonly object[]) {
  const list = Array.isArray(stdin) ? { apiVersion: "v1", kind: "List", items: stdin } : stdin;
  const outcome = await cluster.kubectl(command.split(" "), list && { stdin: JSON.stringify(list) });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  return outcome;
}

const namespace = (name: string, labels = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});
const pod = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "main", image: "main" }], ...spec },
});

test("server and kubectl are of the version that is pinned, and the nodes are Ready", async () => {
  expect((await kubectl("version")).stdout.match(/v1\.36\.3/g)).toHaveLength(2);
  expect((await kubectl("get nodes --selector zone=a --no-headers")).stdout).toMatch(/^node-1 +Ready/);
});

test("controllers make pods, the pods run, and a Job's pods complete", async () => {
  await kubectl("create deployment hello --image=hello --replicas=3");
  await kubectl("create job once --image=once");
  await kubectl("rollout status deployment/hello --timeout=30s");
  await kubectl("wait --for=condition=complete job/once --timeout=30s");
});

test("a pod's init containers end in their order, and its native sidecar runs on", async () => {
  const sidecar = { name: "proxy", image: "proxy", restartPolicy: "Always" };
  const initContainers = [{ name: "first", image: "first" }, sidecar, { name: "last", image: "last" }];
  await kubectl("apply -f -", pod("initialized", { initContainers }));
  await kubectl("wait --for=condition=ready pod/initialized --timeout=30s");
  const { json } = await cluster.api.expect("GET", "/api/v1/namespaces/default/pods/initialized");
  const states = json.status.initContainerStatuses.map((each: { state: object }) => Object.keys(each.state)[0]);
  expect(states).toEqual(["terminated", "running", "terminated"]);
});

test("a webhook in a network namespace is called through its Service", async () => {
  const echo = await echoIn("echo-host");
  const folder = join(cluster.folder, "echo-host");
  await mkdir(folder);
  for (const [name, text] of Object.entries(echo.files)) await writeFile(join(folder, name), text);
  const host = await cluster.networkHost("echo");
  host.spawn(process.execPath, [ECHO, folder], { env: { POD_NAME: "in-a-namespace" }, stdio: "ignore" });
  await kubectl("apply -f -", [namespace("echo-host", { echo: "echo-host" }), echo.service, echo.configuration]);
  await cluster.setEndpoints("echo-host", "echo", [host.address], [{ name: "https", port: 8443 }]);

  await expect
    .poll(() => create("echo-host", "called"), { timeout: 20_000, interval: 500 })
    .toMatchObject({
      code: 0,
      stderr: "Warning: echo: hello\n",
    });
  const { json } = await cluster.api.expect("GET", "/api/v1/namespaces/echo-host/pods/called");
  expect(json.metadata.annotations).toEqual({ "echo.test/by": "in-a-namespace" });
  const [event] = await cluster.auditEvents(({ objectRef }) => objectRef?.name === "called");
  expect(event).toMatchObject({ user: { username: "admin" }, verb: "create", requestObject: { kind: "Pod" } });
  expect(event?.annotations).toMatchObject({ "pods.echo.test/by": "in-a-namespace" });
  const metric = /^apiserver_admission_webhook_admission_duration_seconds_count\{name="pods.echo.test".* 1$/m;
  expect(metric.test(await cluster.metrics())).toBe(true);
});

test("a Deployment's pods really run: with their Secret, as their user, behind their Service, one after the other", async () => {
  const echo = await echoIn("echo-pods", { app: "echo" });
  const objects = [namespace("echo-pods"), namespace("caller", { echo: "echo-pods" })];
  await kubectl("apply -f -", [...objects, ...echoDeployment("echo-pods", echo), echo.service, echo.configuration]);
  await kubectl("rollout status deployment/echo --namespace echo-pods --timeout=60s");
  await expect.poll(() => create("caller", "before"), { timeout: 10_000 }).toMatchObject({ code: 0 });
  const first = cluster.runningPods("echo-pods").map(({ name }) => name);

  await kubectl("rollout restart deployment/echo --namespace echo-pods");
  await kubectl("rollout status deployment/echo --namespace echo-pods --timeout=60s");
  await expect.poll(() => cluster.runningPods("echo-pods").length, { timeout: 10_000 }).toBe(2);
  expect(await create("caller", "after")).toMatchObject({ code: 0 });
  const second = cluster.runningPods("echo-pods").map(({ name }) => name);
  const { json } = await cluster.api.expect("GET", "/api/v1/namespaces/caller/pods/after");
  expect(second).toContain(json.metadata.annotations["echo.test/by"]);
  expect(first).not.toContain(json.metadata.annotations["echo.test/by"]);
});

test("a container that is killed is started again", async () => {
  const [running] = cluster.runningPods("echo-pods");
  const before = running?.containers[0]?.pid;
  running?.containers[0]?.kill("SIGKILL");
  const path = `/api/v1/namespaces/echo-pods/pods/${running?.name}`;
  const status = async () => (await cluster.api.expect("GET", path)).json.status.containerStatuses[0];
  await expect.poll(status, { timeout: 10_000 }).toMatchObject({ restartCount: 1, ready: true });
  expect(running?.containers[0]?.pid).not.toBe(before);
});

test("a ServiceAccount's kubeconfig is that account", async () => {
  const kubeconfig = await cluster.kubeconfigOf("default", "default");
  const who = await cluster.kubectl(["auth", "whoami"], { kubeconfig });
  expect(who.stdout).toContain("system:serviceaccount:default:default");
  expect(await cluster.kubectl(["get", "nodes"], { kubeconfig })).toMatchObject({ code: 1 });
});

test("the API server comes back with all it knew, and etcd may forget its past", async () => {
  await cluster.restartApiServer();
  await cluster.compactEtcd();
  await kubectl("scale deployment/hello --replicas=5");
  await kubectl("rollout status deployment/hello --timeout=60s");
});

const create = (where: string, name: string) =>
  cluster.kubectl(["create", "--namespace", where, "-f", "-"], { stdin: JSON.stringify(pod(name)) });
