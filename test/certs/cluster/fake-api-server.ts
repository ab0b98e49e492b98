import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { FakeConflict, type FakeEvent, type FakeObject, FakeObjects } from "./fake-objects.ts";
import { type Asked, allows, RULES } from "./fake-rbac.ts";

/**
 * A fake of an API server, over real sockets: Secrets of one namespace and MutatingWebhookConfigurations, with
 * versions that conflict, watches, the RBAC of manifests/base, and a clock of its own.
 */
export interface FakeApiServer {
  readonly url: string;
  readonly secrets: FakeObjects;
  readonly configurations: FakeObjects;
  /** Every request that was allowed. */
  readonly asked: readonly (Asked & { readonly user: string })[];
  /** Answers with this status in place of the real answer, where it says one. */
  refuse: (asked: Asked) => number | undefined;
  now: () => Date;
  /** Knows no SelfSubjectReview, as before Kubernetes 1.28. */
  clockless: boolean;
  /** Nothing listens any more, and what is open is cut. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

const SECRETS = "/api/v1/namespaces/smc-system/secrets";
const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

export async function startFakeApiServer(): Promise<FakeApiServer> {
  let version = 100;
  const nextVersion = () => String(++version);
  const collections = new Map([
    [SECRETS, { resource: "secrets", objects: new FakeObjects(nextVersion) }],
    [CONFIGURATIONS, { resource: "mutatingwebhookconfigurations", objects: new FakeObjects(nextVersion) }],
  ]);
  const asked: (Asked & { readonly user: string })[] = [];

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "", "http://fake");
    const body = await readBody(request);
    if (url.pathname === REVIEWS && !fake.clockless) {
      return send(response, 201, { metadata: { creationTimestamp: `${fake.now().toISOString().slice(0, 19)}Z` } });
    }
    const entry = [...collections].find(([path]) => url.pathname === path || url.pathname.startsWith(`${path}/`));
    if (!entry) return send(response, 404, { code: 404, reason: "NotFound", message: "no such kind" });
    const [path, { resource, objects }] = entry;
    const named = url.pathname.slice(path.length + 1);
    const selected = url.searchParams.get("fieldSelector")?.replace("metadata.name=", "") ?? "";
    const watching = url.searchParams.has("watch");
    const verb = named
      ? VERBS[`${request.method}`]
      : request.method === "POST"
        ? "create"
        : watching
          ? "watch"
          : "list";
    const question = { verb: verb ?? "", resource, name: named || selected };
    const user = `${request.headers.authorization}`.replace("Bearer ", "");
    if (!allows(RULES, question)) return send(response, 403, forbidden(question));
    asked.push({ ...question, user });
    const status = fake.refuse(question);
    if (status === 403) return send(response, 403, forbidden(question));
    // A real one quotes bodies that it cannot read.
    if (status !== undefined) return send(response, status, { code: status, message: `of ${JSON.stringify(body)}` });
    try {
      const mine = ({ metadata }: FakeObject) => metadata.name === question.name;
      if (verb === "watch") return stream(response, objects, mine, Number(url.searchParams.get("resourceVersion")));
      if (verb === "list") {
        const items = objects.all().filter(mine);
        return send(response, 200, { items, metadata: { resourceVersion: String(version) } });
      }
      if (verb === "create") return send(response, 201, objects.create(body));
      if (verb === "update") return send(response, 200, objects.update(named, body));
      if (verb === "patch") return send(response, 200, objects.merge(named, body));
      return send(response, 200, objects.get(named));
    } catch (error) {
      if (!(error instanceof FakeConflict)) throw error;
      return send(response, error.status, { code: error.status, reason: error.reason, message: error.message });
    }
  };

  const server = createServer((request, response) => void handle(request, response));
  const open = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const shut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await open(0);
  const address = server.address();
  if (!hasPort(address)) throw new Error("the fake has no port");
  const { port } = address;
  onTestFinished(shut);

  const objectsOf = (path: string) => collections.get(path)?.objects ?? new FakeObjects(nextVersion);
  const fake: FakeApiServer = {
    url: `http://127.0.0.1:${port}`,
    secrets: objectsOf(SECRETS),
    configurations: objectsOf(CONFIGURATIONS),
    asked,
    refuse: () => undefined,
    now: () => new Date(),
    clockless: false,
    goAway: shut,
    comeBack: () => open(port),
  };
  return fake;
}

const VERBS: Readonly<Record<string, string>> = { GET: "get", PUT: "update", PATCH: "patch" };

const hasPort = (address: AddressInfo | string | null): address is AddressInfo =>
  address !== null && typeof address === "object";

const forbidden = ({ verb, resource, name }: Asked) => ({
  code: 403,
  reason: "Forbidden",
  message: `${resource} "${name}" is forbidden: the user cannot ${verb} it`,
});

async function readBody(request: IncomingMessage) {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString()) : {};
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** All that has happened since a version, and then whatever happens. */
function stream(response: ServerResponse, objects: FakeObjects, mine: (object: FakeObject) => boolean, since: number) {
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  const tell = (event: FakeEvent) => {
    if (mine(event.object)) response.write(`${JSON.stringify(event)}\n`);
  };
  for (const event of objects.events) if (Number(event.object.metadata.resourceVersion) > since) tell(event);
  objects.on("event", tell);
  response.on("close", () => objects.off("event", tell));
}
