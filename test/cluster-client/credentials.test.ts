import { mkdirSync, writeFileSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { issueCa, issueLeaf } from "../../certs/issue.ts";
import { openClusterClient } from "../../webhook/cluster/client.ts";
import { temporaryFolder } from "../mesh/mesh-folder.ts";
import { startFakeApiServer, statusObject } from "./fake-api-server.ts";
import { clientOf, kubeconfig, kubeconfigText, listening, NODES } from "./scene.ts";

describe("a server that cannot be reached", () => {
  it("is named with the cause", async () => {
    const refused = await clientOf("http://127.0.0.1:1");
    await expect(refused.request({ path: NODES })).rejects.toThrow(
      "GET http://127.0.0.1:1/api/v1/nodes: connection refused; nothing listens there: is the API server up",
    );
    const unknown = await clientOf("http://no-such-host.invalid");
    await expect(unknown.request({ path: NODES })).rejects.toThrow(
      /the host name (has no address|cannot be looked up)/,
    );
  });

  it("is named when its certificate is another CA's, or for another name", async () => {
    const now = new Date();
    const [ca, other] = [await issueCa({ now }), await issueCa({ now })];
    const leaf = await issueLeaf({ ca, now, dnsNames: ["elsewhere"], ipAddresses: ["127.0.0.1"] });
    const port = await listening(
      createHttps({ cert: leaf.cert, key: leaf.key }, (_, response) => response.end('{"ok":true}')),
    );
    const trusting = async (bundle: string, host: string) => {
      const cluster = `certificate-authority-data: ${Buffer.from(bundle).toString("base64")}`;
      const client = await openClusterClient({
        kubeconfig: kubeconfig({ server: `https://${host}:${port}`, cluster }),
      });
      onTestFinished(() => client.close());
      return client.request({ path: "/" });
    };
    await expect(trusting(ca.cert, "127.0.0.1")).resolves.toEqual({ ok: true });
    await expect(trusting(other.cert, "127.0.0.1")).rejects.toThrow(
      `GET https://127.0.0.1:${port}/: the API server's certificate is not signed by the CA that these credentials name`,
    );
    await expect(trusting(ca.cert, "localhost")).rejects.toThrow("is for another name than this address");
  });
});

describe("credentials", () => {
  it("are read anew when the server refuses them: a token file was rotated", async () => {
    const fake = await startFakeApiServer();
    const folder = temporaryFolder();
    writeFileSync(join(folder, "token"), "first\n");
    writeFileSync(join(folder, "config"), kubeconfigText({ server: fake.url, user: "tokenFile: token" }));
    let good = "first";
    fake.intercept = ({ headers }, response) => {
      if (headers.authorization === `Bearer ${good}`) return false;
      response.writeHead(401).end(JSON.stringify(statusObject(401, "Unauthorized", "Unauthorized")));
      return true;
    };
    const client = await openClusterClient({ kubeconfig: join(folder, "config") });
    onTestFinished(() => client.close());
    await client.request({ path: NODES });
    writeFileSync(join(folder, "token"), "second\n");
    good = "second";
    await expect(client.request({ path: NODES })).resolves.toMatchObject({ items: [] });
    good = "third";
    await expect(client.request({ path: NODES })).rejects.toThrow("401 Unauthorized");
  });

  it("are the ServiceAccount's in a pod", async () => {
    const root = temporaryFolder();
    const folder = join(root, "var/run/secrets/kubernetes.io/serviceaccount");
    mkdirSync(folder, { recursive: true });
    const now = new Date();
    const ca = await issueCa({ now });
    const leaf = await issueLeaf({ ca, now, dnsNames: [], ipAddresses: ["127.0.0.1"] });
    writeFileSync(join(folder, "ca.crt"), ca.cert);
    writeFileSync(join(folder, "token"), "in-cluster");
    const port = await listening(
      createHttps({ cert: leaf.cert, key: leaf.key }, (request, response) => {
        response.end(JSON.stringify(request.headers.authorization));
      }),
    );
    environment({ KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(port) });
    const client = await openClusterClient({ root });
    onTestFinished(() => client.close());
    expect(client.server).toBe(`https://127.0.0.1:${port}`);
    await expect(client.request({ path: "/" })).resolves.toBe("Bearer in-cluster");
  });

  it.each([
    ["current-context: x\nclusters: []\n", "has no cluster for its current-context"],
    ["clusters: [\n", "cannot be read: "],
    ["clusters:\n- name: a\n", "cannot be read: clusters[0].cluster is missing"],
  ])("are refused with the file's name: %j", async (text, message) => {
    const file = join(temporaryFolder(), "broken");
    writeFileSync(file, text);
    await expect(openClusterClient({ kubeconfig: file })).rejects.toThrow(`the kubeconfig ${file} ${message}`);
  });

  it("are said to be missing where there are none", async () => {
    await expect(openClusterClient({ kubeconfig: "/nowhere/config" })).rejects.toThrow(
      "the kubeconfig /nowhere/config does not exist",
    );
    environment({ KUBERNETES_SERVICE_HOST: "", KUBECONFIG: "", HOME: temporaryFolder() });
    await expect(openClusterClient()).rejects.toThrow("no cluster is known: there is no ServiceAccount");
  });

  it("are $KUBECONFIG's outside of a pod", async () => {
    environment({ KUBERNETES_SERVICE_HOST: "", KUBECONFIG: kubeconfig({ server: "http://127.0.0.1:1" }) });
    const client = await openClusterClient();
    expect(client.server).toBe("http://127.0.0.1:1");
  });

  it("of an exec plugin are asked for; one that fails is said to", async () => {
    const fake = await startFakeApiServer();
    const folder = temporaryFolder();
    const credential = JSON.stringify({ kind: "ExecCredential", status: { token: "from-plugin" } });
    writeFileSync(join(folder, "answer.json"), credential);
    const exec = (command: string, argument: string) =>
      openClusterClient({
        kubeconfig: kubeconfig({ server: fake.url, user: `exec: { command: ${command}, args: [${argument}] }` }),
      });
    await (await exec("cat", join(folder, "answer.json"))).request({ path: NODES });
    expect(fake.requests[0]?.headers.authorization).toBe("Bearer from-plugin");
    const failing = await exec("cat", "/nowhere");
    await expect(failing.request({ path: NODES })).rejects.toThrow("cat: /nowhere: No such file or directory");
  });
});

/** Sets environment variables until the test ends. */
function environment(variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env };
  onTestFinished(() => {
    process.env = before;
  });
  Object.assign(process.env, variables);
}
