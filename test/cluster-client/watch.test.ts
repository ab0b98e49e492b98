import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { until } from "../mesh/mesh-folder.ts";
import { fakeAndClient, NODES, nameAndMark, node, watchNodes } from "./scene.ts";

const CRD = "/apis/istio.alibabacloud.com/v1beta1/asmmeshconfigs";

describe("a watch", () => {
  it("lists, then tells every change in order", async () => {
    const { fake, client } = await fakeAndClient();
    fake.put(NODES, node("a"));
    const nodes = watchNodes(client);
    await until(() => fake.watches.length === 1);
    expect(nodes.watch.status).toMatchObject({ state: "synced", fault: undefined, errors: 0 });
    fake.put(NODES, node("b"));
    fake.put(NODES, node("b", { mark: "2" }));
    fake.remove(NODES, "a");
    await until(() => nodes.told.length === 4);
    expect(nodes.told).toEqual(["replace 1", "change b", "change b=2", "delete a"]);
  });

  it("asks for metadata alone, with selectors, bookmarks and an end, where told to", async () => {
    const { fake, client } = await fakeAndClient();
    watchNodes(client, { metadataOnly: true, labelSelector: "x", fieldSelector: "metadata.name=a" });
    await until(() => fake.watches.length === 1);
    const [list, watch] = fake.requests;
    const tail = ";g=meta.k8s.io;v=v1,application/json";
    expect(list?.headers.accept).toBe(`application/json;as=PartialObjectMetadataList${tail}`);
    expect(watch?.headers.accept).toBe(`application/json;as=PartialObjectMetadata${tail}`);
    for (const seen of [list, watch]) {
      expect(seen?.query.get("labelSelector")).toBe("x");
      expect(seen?.query.get("fieldSelector")).toBe("metadata.name=a");
    }
    expect(watch?.query.get("allowWatchBookmarks")).toBe("true");
    const seconds = Number(watch?.query.get("timeoutSeconds"));
    expect(seconds).toBeGreaterThanOrEqual(240);
    expect(seconds).toBeLessThanOrEqual(360);
  });

  it("lists page by page, and anew when the list is forgotten in the middle", async () => {
    const { fake, client } = await fakeAndClient();
    for (let index = 0; index < 1200; index++) fake.put(NODES, node(`n${index}`));
    let pages = 0;
    fake.intercept = ({ kind }) => {
      if (kind === "list" && ++pages === 2) fake.compact();
      return false;
    };
    const nodes = watchNodes(client);
    await until(() => nodes.told.length === 1);
    expect(nodes.told).toEqual(["replace 1200"]);
    expect(new Set(nodes.known).size).toBe(1200);
    const lists = fake.requests.filter(({ kind }) => kind === "list");
    expect(lists.map(({ query }) => query.get("limit"))).toEqual(["500", "500", "500", "500", "500"]);
    expect(lists.map(({ query }) => query.has("continue"))).toEqual([false, true, false, true, true]);
  });

  it("goes on where it was when the server ends it: nothing is lost or told twice", async () => {
    const { fake, client } = await fakeAndClient();
    const nodes = watchNodes(client);
    const expected = ["replace 0"];
    for (let round = 0; round < 4; round++) {
      await until(() => fake.watches.length === 1);
      fake.put(NODES, node(`open${round}`));
      await until(() => nodes.told.includes(`change open${round}`));
      fake.watches[0]?.end();
      fake.put(NODES, node(`away${round}`));
      expected.push(`change open${round}`, `change away${round}`);
    }
    await until(() => nodes.told.length >= expected.length);
    expect(nodes.told).toEqual(expected);
    expect(fake.requests.filter(({ kind }) => kind === "list")).toHaveLength(1);
  });

  it("goes on after a bookmark at the bookmark's version", async () => {
    const { fake, client } = await fakeAndClient();
    const nodes = watchNodes(client);
    await until(() => fake.watches.length === 1);
    await sleep(30);
    fake.put("/api/v1/others", node("x"));
    const sentAt = Date.now();
    fake.bookmark();
    await until(() => (nodes.watch.status.agreedAt?.getTime() ?? 0) >= sentAt);
    fake.compact();
    fake.watches[0]?.cut();
    await until(() => fake.requests.length === 3);
    expect(fake.requests.map(({ kind }) => kind)).toEqual(["list", "watch", "watch"]);
    expect(fake.requests[2]?.query.get("resourceVersion")).toBe("101");
    expect(nodes.told).toEqual(["replace 0"]);
  });

  it.each(["status", "event"])("lists anew after a 410 as %s, and tells what is gone", async (how) => {
    const { fake, client } = await fakeAndClient();
    fake.put(NODES, node("stays"));
    fake.put(NODES, node("goes"));
    const nodes = watchNodes(client);
    await until(() => fake.watches.length === 1);
    let withhold = true;
    fake.intercept = ({ kind }, response) => {
      if (kind !== "watch" || how !== "event" || !withhold) return false;
      withhold = false;
      const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
      response.write(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return true;
    };
    fake.watches[0]?.cut();
    fake.remove(NODES, "goes");
    fake.put(NODES, node("new"));
    fake.compact();
    await until(() => nodes.told.length === 2);
    expect(nodes.told).toEqual(["replace 2", "replace 2"]);
    expect(nodes.known).toEqual(["new", "stays"]);
    const [, , refused, again] = fake.requests;
    expect([refused?.kind, again?.kind]).toEqual(["watch", "list"]);
    expect((again?.at ?? 0) - (refused?.at ?? 0)).toBeLessThan(80);
    await until(() => fake.watches.length === 1);
    expect(nodes.watch.status).toMatchObject({ state: "synced", fault: undefined });
  });

  it("takes a kind that the server does not know for an empty list, until it does", async () => {
    const { fake, client } = await fakeAndClient();
    fake.unknown.add(CRD);
    const meshes = watchNodes(client, { path: CRD, mayBeAbsent: true, absentMs: 50 });
    await until(() => meshes.watch.status.state === "absent");
    expect(meshes.told).toEqual(["replace 0"]);
    expect(meshes.watch.status).toMatchObject({ fault: undefined });
    await until(() => fake.requests.length > 3);
    expect(meshes.told).toEqual(["replace 0"]);
    fake.unknown.delete(CRD);
    fake.put(CRD, node("default"));
    await until(() => meshes.told.length > 1);
    expect(meshes.known).toEqual(["default"]);
    await until(() => fake.watches.length === 1);
    fake.unknown.add(CRD);
    fake.watches[0]?.end();
    await until(() => meshes.watch.status.state === "absent");
    expect(meshes.known).toEqual([]);
    expect(meshes.log.lines.filter(({ level }) => level === "warn")).toEqual([]);
  });

  it("takes it for a fault where the kind must be known", async () => {
    const { fake, client } = await fakeAndClient();
    fake.unknown.add(NODES);
    const nodes = watchNodes(client);
    await until(() => nodes.watch.status.fault !== undefined);
    expect(nodes.watch.status).toMatchObject({ state: "starting", agreedAt: undefined });
    expect(nodes.watch.status.fault).toBe(`GET ${fake.url}${NODES}: 404 NotFound: 404 page not found`);
    expect(nodes.told).toEqual([]);
  });

  it("logs and counts what a reader or a listener throws, and goes on", async () => {
    const { fake, client } = await fakeAndClient();
    fake.put(NODES, node("good"));
    fake.put(NODES, node("bad"));
    const nodes = watchNodes(client, {
      read(object) {
        const name = nameAndMark(object);
        if (name.startsWith("bad")) throw new Error("cannot be read");
        return name;
      },
    });
    await until(() => nodes.told.length === 1);
    fake.put(NODES, node("bad2"));
    fake.put(NODES, node("good2"));
    await until(() => nodes.told.includes("change good2"));
    expect(nodes.told).toEqual(["replace 1", "change good2"]);
    expect(nodes.watch.status).toMatchObject({ state: "synced", errors: 2 });
    expect(nodes.log.lines.filter(({ level }) => level === "error")).toHaveLength(2);
  });

  it("delivers nothing after it was closed, and lets its connection go", async () => {
    const { fake, client } = await fakeAndClient();
    const nodes = watchNodes(client);
    await until(() => fake.watches.length === 1);
    await nodes.watch.close();
    fake.put(NODES, node("late"));
    await until(() => fake.watches.length === 0);
    expect(nodes.told).toEqual(["replace 0"]);
    expect(fake.requests).toHaveLength(2);
  });
});
