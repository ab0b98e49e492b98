import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { until } from "../mesh/mesh-folder.ts";
import { type FakeApiServer, statusObject } from "./fake-api-server.ts";
import { eventLine } from "./fake-store.ts";
import { fakeAndClient, NODES, node, watchNodes } from "./scene.ts";

/** What breaks an open watch while `late` is on its way, by what a person would call it. */
const BREAKS: Readonly<Record<string, (fake: FakeApiServer) => void>> = {
  "the connection is reset": (fake) => fake.watches[0]?.cut(),
  "it ends in the middle of a line": (fake) => {
    fake.watches[0]?.write(eventLine("ADDED", node("half"), 999).slice(0, 30));
    fake.watches[0]?.end();
  },
  "a line is garbage": (fake) => fake.watches[0]?.write("}{ garbage\n"),
  "a line is JSON but no event": (fake) => fake.watches[0]?.write('{"kind":"Node"}\n'),
  "an event has no version": (fake) => fake.watches[0]?.write('{"type":"ADDED","object":{"metadata":{}}}\n'),
  "a line is endless": (fake) => {
    for (let megabytes = 0; megabytes < 9; megabytes++) fake.watches[0]?.write("x".repeat(1024 * 1024));
  },
};

describe("a watch that breaks", () => {
  it.each(Object.entries(BREAKS))("goes on where it was: %s", async (_, breakIt) => {
    const { fake, client } = await fakeAndClient();
    const nodes = watchNodes(client);
    await until(() => fake.watches.length === 1);
    fake.put(NODES, node("early"));
    await until(() => nodes.told.length === 2);
    breakIt(fake);
    await until(() => fake.watches.length === 0);
    fake.put(NODES, node("late"));
    await until(() => nodes.told.length === 3);
    expect(nodes.told).toEqual(["replace 0", "change early", "change late"]);
    expect(nodes.watch.status).toMatchObject({ state: "synced", fault: undefined, errors: 0 });
    expect(fake.requests.filter(({ kind }) => kind === "list")).toHaveLength(1);
  });

  it("takes a large event, in small pieces that cut its characters", async () => {
    const { fake, client } = await fakeAndClient();
    const nodes = watchNodes(client);
    await until(() => fake.watches.length === 1);
    const line = `${eventLine("ADDED", node("big", { mark: "é".repeat(1_000_000) }), 999)}\n`;
    for (let at = 0; at < line.length; at += 99_999) {
      fake.watches[0]?.write(line.slice(at, at + 99_999));
      await sleep(1);
    }
    await until(() => nodes.told.length === 2);
    expect(nodes.told[1]).toHaveLength("change big=".length + 1_000_000);
  });

  it("is noticed when the connection stands but nothing comes any more", async () => {
    const { fake, client } = await fakeAndClient({ inactivityMs: 150 });
    const nodes = watchNodes(client);
    await until(() => fake.watches.length === 1);
    const [silent] = fake.watches;
    await until(() => fake.requests.length === 3);
    await until(() => fake.watches.length === 1);
    expect(fake.watches[0]).not.toBe(silent);
    fake.put(NODES, node("after"));
    await until(() => nodes.told.includes("change after"));
    expect(fake.requests.filter(({ kind }) => kind === "list")).toHaveLength(1);
  });

  it("is not gone on with where it told nothing for long: its version may be from the future", async () => {
    const { fake, client } = await fakeAndClient({ inactivityMs: 150 });
    watchNodes(client, { silentMs: 100 });
    await until(() => fake.requests.length === 4);
    expect(fake.requests.map(({ kind }) => kind)).toEqual(["list", "watch", "list", "watch"]);
  });

  it("is given up when bytes drip but no event comes", async () => {
    const { fake, client } = await fakeAndClient({ inactivityMs: 150 });
    watchNodes(client);
    await until(() => fake.watches.length === 1);
    const [dripping] = fake.watches;
    const drip = setInterval(() => dripping?.write("x"), 20);
    await until(() => fake.requests.length === 3);
    clearInterval(drip);
  });
});

describe("a server that fails again and again", () => {
  const FIRST_MS = 20;
  const LONGEST_MS = 160;
  const backoff = { firstMs: FIRST_MS, longestMs: LONGEST_MS };

  it.each([
    "500",
    "429",
    "reset",
    "accepts a watch and ends it",
    "forgets every version",
    "garbage",
  ])("is asked less and less often: %s", async (how) => {
    const { fake, client } = await fakeAndClient();
    const nodes = watchNodes(client, { backoff });
    await until(() => fake.watches.length === 1);
    const before = fake.requests.length;
    fake.intercept = (seen, response, request) => {
      if (how === "reset") request.socket.resetAndDestroy();
      else if (how === "garbage") response.end("}{\n");
      else if (how === "accepts a watch and ends it") response.end();
      else if (how === "forgets every version") {
        if (seen.kind === "list") return false;
        response.writeHead(410).end(JSON.stringify(statusObject(410, "Expired", "too old")));
      } else response.writeHead(Number(how)).end(JSON.stringify(statusObject(Number(how), "", "not now")));
      return true;
    };
    fake.watches[0]?.cut();
    await sleep(600);
    const asked = fake.requests.slice(before).filter(({ kind }) => kind === "watch");
    // 20 + 40 + 80 ms, then 160 ms each; up to half of each pause is left out.
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.length).toBeLessThan(3 + 600 / (LONGEST_MS / 2) + 1);
    fake.intercept = undefined;
    fake.put(NODES, node("healed"));
    await until(() => nodes.known.includes("healed"));
    await until(() => nodes.watch.status.state === "synced");
    expect(nodes.watch.status.fault).toBeUndefined();
  });

  it("does not count as agreeing when it accepts a watch and refuses it with the first event", async () => {
    const { fake, client } = await fakeAndClient();
    const nodes = watchNodes(client, { backoff });
    await until(() => fake.watches.length === 1);
    await sleep(150);
    const { agreedAt } = nodes.watch.status;
    fake.intercept = ({ kind }, response) => {
      const object = statusObject(410, "Expired", "too old resource version");
      if (kind === "watch") response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      else response.writeHead(503).end();
      return true;
    };
    fake.watches[0]?.cut();
    await until(() => nodes.watch.status.fault?.includes("503") ?? false);
    expect(nodes.watch.status.agreedAt).toBe(agreedAt);
  });

  it("keeps the time of the last agreement, says why, once, and heals by itself", async () => {
    const { fake, client } = await fakeAndClient();
    const nodes = watchNodes(client, { backoff });
    await until(() => fake.watches.length === 1);
    await sleep(150);
    const { agreedAt } = nodes.watch.status;
    await fake.down();
    await until(() => nodes.watch.status.fault?.includes("connection refused") ?? false);
    await sleep(300);
    expect(nodes.watch.status).toMatchObject({ state: "broken", agreedAt });
    const said = nodes.log.lines.filter(({ message }) => `${message}`.includes("connection refused"));
    expect(said).toHaveLength(1);
    expect(said[0]?.level).toBe("warn");
    fake.put(NODES, node("meanwhile"));
    await fake.up();
    await until(() => nodes.known.includes("meanwhile"));
    expect(nodes.watch.status).toMatchObject({ state: "synced", fault: undefined });
    expect(nodes.log.lines.some(({ message }) => message === "the cluster is followed again")).toBe(true);
  });
});
