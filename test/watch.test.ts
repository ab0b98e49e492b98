import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { watchFolder } from "../webhook/watch.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "smc-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function watched(folder: string, pollMs: number) {
  const calls = { count: 0 };
  const watching = watchFolder(folder, () => calls.count++, { pollMs });
  onTestFinished(() => watching.close());
  return calls;
}

async function called(calls: { readonly count: number }, limitMs: number): Promise<void> {
  const before = calls.count;
  const limit = performance.now() + limitMs;
  while (calls.count === before) {
    if (performance.now() > limit) throw new Error(`not called within ${limitMs} ms`);
    await sleep(5);
  }
}

const POLL_MS = 300;
/** Too soon for a poll: only an event can have told. */
const BY_EVENT_MS = 150;

/** Waits until a poll has surely been, then lets its calls pass. */
const pollGone = () => sleep(POLL_MS + 100);

async function expectEvent(calls: { readonly count: number }, folder: string): Promise<void> {
  // Of three changes in a row, at most one falls together with a poll.
  let byEvent = 0;
  for (const name of ["x", "y", "z"]) {
    const change = called(calls, BY_EVENT_MS);
    writeFileSync(join(folder, name), "");
    byEvent += await change.then(
      () => 1,
      () => 0,
    );
    await sleep(60);
  }
  expect(byEvent).toBe(3);
}

describe("a watched folder", () => {
  it("tells of a change at once", async () => {
    const folder = temporaryFolder();
    await expectEvent(watched(folder, POLL_MS), folder);
  });

  it("is watched anew when another takes its name", async () => {
    const folder = join(temporaryFolder(), "watched");
    mkdirSync(folder);
    const calls = watched(folder, POLL_MS);
    await pollGone();
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await pollGone();
    await expectEvent(calls, folder);
  });

  it("is watched anew when it is a link that moves, however it is written", async () => {
    const parent = temporaryFolder();
    const link = join(parent, "link");
    const [first, second] = [temporaryFolder(), temporaryFolder()];
    symlinkSync(first, link);
    const calls = watched(`${relative(process.cwd(), link)}/`, POLL_MS);
    await pollGone();
    symlinkSync(second, `${link}.new`);
    renameSync(`${link}.new`, link);
    await pollGone();
    await expectEvent(calls, second);
  });

  it("may appear later", async () => {
    const folder = join(temporaryFolder(), "watched");
    const calls = watched(folder, POLL_MS);
    await pollGone();
    mkdirSync(folder);
    await called(calls, 2 * POLL_MS + 100);
    await pollGone();
    await expectEvent(calls, folder);
  });

  it("says nothing after close", async () => {
    const folder = temporaryFolder();
    let count = 0;
    const watching = watchFolder(folder, () => count++, { pollMs: 20 });
    writeFileSync(join(folder, "x"), "");
    watching.close();
    await sleep(150);
    expect(count).toBe(0);
  });
});
