import { Bench } from "tinybench";
import { admit } from "../../webhook/admission/admit.ts";
import type { MeshState } from "../../webhook/mesh/view.ts";
import { decided } from "../../webhook/review/answer.ts";
import { readReview } from "../../webhook/review/review.ts";
import { DEFAULTS } from "../../webhook/settings/load.ts";
import { meshOf, reviewOf } from "./pods.ts";

/**
 * `make bench`: what an admission costs this process, in one run on one machine. The floor is parsing the request's
 * JSON, which no webhook can do without; the rest is given as a ratio of it.
 */
const BYTES = 10_000;
const VERSION = "0.0.0-bench";
const small = meshOf(10);
const large = meshOf(10_000);

const text = reviewOf(BYTES);
const parsed = JSON.parse(text);
const review = readReview(parsed);
if (review.kind !== "creation") throw new Error("the benchmark's own review is malformed");
const { pod, namespace, uid } = review;
const question = (mesh: MeshState) => ({ pod, namespace, mesh, settings: DEFAULTS });
const admission = admit(question(small), VERSION);
if (admission.decision.reason !== "Injected") throw new Error(`the benchmark's pod is ${admission.decision.reason}`);

const bench = new Bench({ time: 2000, warmupTime: 500 });
bench
  .add("parse the request's JSON (the floor)", () => JSON.parse(text))
  .add("check its shape", () => readReview(parsed))
  .add("decide, and construct the patch", () => admit(question(small), VERSION))
  .add("the same with 10,000 eligible nodes", () => admit(question(large), VERSION))
  .add("put the answer together", () => JSON.stringify(decided(uid, admission)));
await bench.run();

const [floor, ...steps] = bench.tasks.map(({ name, result }) => {
  if (!("latency" in result)) throw new Error(`${name} did not run`);
  return { name, micros: result.latency.p50 * 1000 };
});
if (!floor) throw new Error("nothing was measured");
process.stdout.write(`An AdmissionReview of ${text.length} bytes, Node ${process.version}; medians.\n\n`);
process.stdout.write(`${"step".padEnd(38)} ${"µs".padStart(8)} ${"of the floor".padStart(13)}\n`);
for (const { name, micros } of [floor, ...steps]) {
  const ratio = (micros / floor.micros).toFixed(2);
  process.stdout.write(`${name.padEnd(38)} ${micros.toFixed(1).padStart(8)} ${ratio.padStart(13)}\n`);
}
