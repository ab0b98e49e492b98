import { generateKeyPair, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { issueCa, issueLeaf } from "../../certs/issue.ts";
import { API_CLUSTER_IP } from "./network.ts";

/** Who the cluster's own parts are to the API server. */
const USERS = {
  admin: { name: "admin", groups: ["system:masters"] },
  controllerManager: { name: "system:kube-controller-manager", groups: [] },
  scheduler: { name: "system:kube-scheduler", groups: [] },
  kwok: { name: "kwok", groups: ["system:masters"] },
  kubelet: { name: "kubelet", groups: ["system:masters"] },
} as const;
type User = keyof typeof USERS;

export interface Credentials {
  /** PEM: what the API server's certificate chains to. */
  readonly ca: string;
  readonly tokens: Readonly<Record<User, string>>;
  /** Paths of files. */
  readonly files: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    /** The key pair that ServiceAccounts' tokens are signed with. */
    readonly signingKey: string;
    readonly verifyingKey: string;
    /** The users' tokens, as --token-auth-file has them. */
    readonly tokens: string;
  };
}

/** Makes certificates, keys and tokens, in files of a folder. */
export async function makeCredentials(folder: string, address: string): Promise<Credentials> {
  await mkdir(folder, { mode: 0o700 });
  const now = new Date();
  const [{ ca, leaf }, signing] = await Promise.all([certificates(address, now), signingKeys()]);
  const token = () => randomBytes(24).toString("hex");
  const tokens = { admin: token(), controllerManager: token(), scheduler: token(), kwok: token(), kubelet: token() };
  const lines = Object.entries(USERS).map(
    ([user, { name, groups }]) => `${tokens[user as User]},${name},${user},"${groups.join(",")}"\n`,
  );
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  return {
    ca: ca.cert,
    tokens,
    files: {
      ca: await file("ca.crt", ca.cert),
      cert: await file("tls.crt", leaf.cert),
      key: await file("tls.key", leaf.key),
      signingKey: await file("service-accounts.key", signing.privateKey),
      verifyingKey: await file("service-accounts.pub", signing.publicKey),
      tokens: await file("tokens.csv", lines.join("")),
    },
  };
}

async function certificates(address: string, now: Date) {
  const ca = await issueCa({ now });
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const dnsNames = ["localhost", ...service, "kubernetes.default.svc.cluster.local"];
  const leaf = await issueLeaf({ ca, now, dnsNames, ipAddresses: [address, API_CLUSTER_IP, "127.0.0.1"] });
  return { ca, leaf };
}

function signingKeys() {
  return promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}
