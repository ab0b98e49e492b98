import { readFile, writeFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";

const FILES = ["node", "pod"].map((name) => new URL(`stages/${name}.yaml`, import.meta.url));

/** Writes the file of KWOK's stages, which leave the pods of some namespaces to others; gives its path back. */
export async function writeStages(file: string, leftAlone: readonly string[]): Promise<string> {
  const texts = await Promise.all(FILES.map((each) => readFile(each, "utf8")));
  const stages = texts.flatMap((text) => parseAllDocuments(text));
  for (const stage of stages) {
    if (leftAlone.length === 0 || stage.getIn(["spec", "resourceRef", "kind"]) !== "Pod") continue;
    const elsewhere = { key: ".metadata.namespace", operator: "NotIn", values: leftAlone };
    stage.addIn(["spec", "selector", "matchExpressions"], stage.createNode(elsewhere));
  }
  await writeFile(file, stages.map((stage) => JSON.stringify(stage.toJS())).join("\n---\n"));
  return file;
}
