import { readFile, writeFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";

const FILES = ["node", "pod"].map((name) => new URL(`stages/${name}.yaml`, import.meta.url));

/** How many requests KWOK has under way at once; its default of four leaves it waiting for answers. All must be given. */
const PARALLEL = 16;
const OPTIONS = {
  apiVersion: "config.kwok.x-k8s.io/v1alpha1",
  kind: "KwokConfiguration",
  options: {
    podPlayStageParallelism: PARALLEL,
    nodePlayStageParallelism: PARALLEL,
    nodeLeaseParallelism: PARALLEL,
    podsOnNodeSyncParallelism: 1,
  },
};

/** Writes KWOK's configuration, whose stages leave the pods of some namespaces to others; gives its path back. */
export async function writeStages(file: string, leftAlone: readonly string[]): Promise<string> {
  const texts = await Promise.all(FILES.map((each) => readFile(each, "utf8")));
  const stages = texts.flatMap((text) => parseAllDocuments(text));
  for (const stage of stages) {
    if (leftAlone.length === 0 || stage.getIn(["spec", "resourceRef", "kind"]) !== "Pod") continue;
    const elsewhere = { key: ".metadata.namespace", operator: "NotIn", values: leftAlone };
    stage.addIn(["spec", "selector", "matchExpressions"], stage.createNode(elsewhere));
  }
  await writeFile(
    file,
    [OPTIONS, ...stages.map((stage) => stage.toJS())].map((each) => JSON.stringify(each)).join("\n---\n"),
  );
  return file;
}
