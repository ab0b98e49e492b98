import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { expectCanonical } from "./invariants.ts";
import { ask, mesh, patched } from "./scene.ts";

/**
 * For every scenario the pod that goes in and all that comes out, to be read by people. After a change that is meant,
 * `UPDATE_GOLDEN=1 npx vitest run test/admission/golden` writes the outcomes anew: read what git says of them.
 */
const FOLDER = fileURLToPath(new URL("golden/", import.meta.url));
const IN = ".in.yaml";
const OUT = ".out.yaml";

const names = readdirSync(FOLDER);
const scenarios = names.filter((name) => name.endsWith(IN)).map((name) => name.slice(0, -IN.length));

const state = mesh({
  eligible: {
    "rdma-a": { "topology.kubernetes.io/zone": "zone-a" },
    "rdma-b": { "topology.kubernetes.io/zone": "zone-b" },
  },
  notEligible: { "plain-c": "NoRdmaDevice" },
});

function outcome(text: string): string {
  const before = parse(text);
  const admission = ask(before, { mesh: state });
  const { decision, message, warnings } = admission;
  const said = { decision: decision.reason, message, warnings };
  const status = decision.outcome === "inject" ? { pod: patched(before, admission) } : { pod: "unchanged" };
  return stringify({ ...said, ...status }, { lineWidth: 0, aliasDuplicateObjects: false });
}

describe("a pod", () => {
  it.each(scenarios)("comes out as its golden file says: %s", (name) => {
    const found = outcome(readFileSync(FOLDER + name + IN, "utf8"));
    if (process.env.UPDATE_GOLDEN) writeFileSync(FOLDER + name + OUT, found);
    expect(found).toBe(readFileSync(FOLDER + name + OUT, "utf8"));
  });

  it.each(scenarios)("that is injected is canonical: %s", (name) => {
    const before = parse(readFileSync(FOLDER + name + IN, "utf8"));
    if (ask(before, { mesh: state }).decision.outcome === "inject") expectCanonical(before, { mesh: state });
  });

  it("has a golden file where there is an outcome", () => {
    const ends = names.map((name) => name.replace(IN, "").replace(OUT, ""));
    expect([...new Set(ends)]).toEqual(scenarios);
  });
});
