import { createServer as createTcp } from "node:net";
import { describe, expect, it } from "vitest";
import { ApiError } from "../../webhook/cluster/client.ts";
import { statusObject } from "./fake-api-server.ts";
import { clientOf, fakeAndClient, listening, NODES, node } from "./scene.ts";

describe("a request", () => {
  it("resolves to the answer's JSON, with the credentials of the kubeconfig", async () => {
    const { fake, client } = await fakeAndClient();
    fake.put(NODES, node("a"));
    const answer = await client.request({ path: NODES, query: { limit: "1" } });
    expect(answer).toMatchObject({ items: [{ metadata: { name: "a" } }] });
    expect(fake.requests[0]?.headers.authorization).toBe("Bearer secret-token");
    expect(fake.requests[0]?.query.get("limit")).toBe("1");
    expect(client.server).toBe(fake.url);
  });

  it("sends a body with its type, and uses one connection again", async () => {
    const { fake, client } = await fakeAndClient();
    const ports = new Set<number | undefined>();
    const bodies: string[] = [];
    fake.intercept = (_, response, request) => {
      ports.add(request.socket.remotePort);
      request
        .setEncoding("utf8")
        .on("data", (chunk: string) => bodies.push(`${request.headers["content-type"]} ${chunk}`));
      request.on("end", () => response.end("{}"));
      return true;
    };
    const body = { spec: { naïve: true } };
    await client.request({ method: "PUT", path: "/x", body });
    await client.request({ method: "PATCH", path: "/x", body: [], contentType: "application/json-patch+json" });
    expect(bodies).toEqual(['application/json {"spec":{"naïve":true}}', "application/json-patch+json []"]);
    expect(ports.size).toBe(1);
  });

  it.each([
    [401, "Unauthorized", "401 Unauthorized: no: the API server does not accept these credentials"],
    [403, "Forbidden", "403 Forbidden: no: grant it in RBAC"],
    [404, "NotFound", "404 NotFound: no"],
    [409, "Conflict", "409 Conflict: no"],
    [500, "InternalError", "500 InternalError: no"],
  ])("rejects with Kubernetes' own words for a %i", async (code, reason, sentence) => {
    const { fake, client } = await fakeAndClient();
    fake.intercept = (_, response) => {
      response.writeHead(code).end(JSON.stringify(statusObject(code, reason, "no")));
      return true;
    };
    const error = await client.request({ path: NODES }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: code, reason });
    expect(`${error}`).toContain(`GET ${fake.url}${NODES}: ${sentence}`);
    expect(`${error}`).not.toContain("secret-token");
  });

  it("says in one line what a proxy's page of HTML was", async () => {
    const { fake, client } = await fakeAndClient();
    fake.intercept = (_, response) => {
      response.writeHead(502).end("<html>\n<h1>Bad Gateway</h1>\n</html>");
      return true;
    };
    await expect(client.request({ path: "/" })).rejects.toThrow(`GET ${fake.url}/: 502 Unknown: <html>`);
    fake.intercept = (_, response) => {
      response.end("<html>welcome</html>");
      return true;
    };
    await expect(client.request({ path: "/" })).rejects.toThrow("the answer is not JSON; is this an API server?");
  });

  it("gives up on a server that answers drop by drop", async () => {
    const { fake, client } = await fakeAndClient({ timeoutMs: 200 });
    fake.intercept = (_, response) => {
      const drip = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drip));
      return true;
    };
    const start = performance.now();
    await expect(client.request({ path: NODES })).rejects.toThrow(`GET ${fake.url}${NODES}: no answer within 0.2 s`);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("is sent once more when a kept connection was closed at that moment", async () => {
    let connections = 0;
    let answered = 0;
    const server = await listening(
      createTcp((socket) => {
        connections++;
        socket.on("data", () => {
          if (++answered === 2) socket.resetAndDestroy();
          else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        });
        socket.on("error", () => {});
      }),
    );
    const client = await clientOf(`http://127.0.0.1:${server}`);
    await client.request({ path: "/" });
    await expect(client.request({ path: "/" })).resolves.toEqual({});
    expect(connections).toBe(2);
  });

  it("ends when it is aborted, and when the client is closed", async () => {
    const { fake, client } = await fakeAndClient();
    fake.intercept = () => true;
    const aborting = new AbortController();
    const aborted = client.request({ path: "/", signal: aborting.signal });
    aborting.abort(new Error("not wanted any more"));
    await expect(aborted).rejects.toThrow("not wanted any more");
    const closed = client.request({ path: "/" });
    client.close();
    await expect(closed).rejects.toThrow("the client was closed");
  });
});
