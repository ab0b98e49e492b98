import type { Facts } from "./file-facts.ts";
import type { Finding } from "./interpret.ts";
import { meshState, readSwitch } from "./objects.ts";
import type { MeshFault, MeshState } from "./view.ts";

export interface MergedFile {
  readonly path: string;
  /** Undefined while the file has never been without a fault. */
  readonly facts: Facts | undefined;
}

export interface Merged {
  /** What counts now, by key. */
  readonly findings: ReadonlyMap<string, Finding>;
  /** By file, what of it was taken last. */
  readonly taken: ReadonlyMap<string, Facts>;
  readonly faults: readonly MeshFault[];
  /** Differs when the mesh's state does. */
  readonly digest: string;
}

/**
 * Puts the files' facts together, in the files' order. A file with an object that an earlier one has too is not taken
 * as it is: what was taken of it before stays.
 */
export function mergeFiles(files: readonly MergedFile[], takenBefore: ReadonlyMap<string, Facts>): Merged {
  const findings = new Map<string, Finding>();
  const owners = new Map<string, string>();
  const taken = new Map<string, Facts>();
  const faults: MeshFault[] = [];
  for (const { path, facts } of files) {
    const double = facts?.findings.find(({ key }) => findings.has(key));
    if (double) {
      const place = placeOf(owners.get(double.key) ?? "", findings.get(double.key)?.line);
      faults.push({
        where: placeOf(path, double.line),
        message: `${double.key} is also in ${place}; keep one of them`,
      });
    }
    const taking = double ? takenBefore.get(path) : facts;
    if (!taking) continue;
    taken.set(path, taking);
    for (const finding of taking.findings) {
      if (findings.has(finding.key)) continue;
      findings.set(finding.key, finding);
      owners.set(finding.key, path);
    }
  }
  const digests = [...findings.values()].filter(counts).map(({ key, digest }) => `${key} ${digest}`);
  const digest = digests.sort().join("\n");
  return { findings, taken, faults, digest };
}

/** A node that nobody has judged is no part of the state. */
const counts = ({ statement }: Finding): boolean => statement.about !== "node" || statement.node !== undefined;

/** A file and a line as editors and terminals understand them. */
export const placeOf = (path: string, line: number | undefined): string =>
  line === undefined ? path : `${path}:${line}`;

/** The picture that findings give. */
export function stateOf(findings: ReadonlyMap<string, Finding>): MeshState {
  const statements = [...findings.values()].map(({ statement }) => statement);
  const found = statements.find((statement) => statement.about === "switch");
  return meshState({
    meshSwitch: found?.meshSwitch ?? readSwitch(undefined),
    nodes: statements.flatMap((statement) => (statement.about === "node" && statement.node ? [statement.node] : [])),
    namespaces: statements.flatMap((statement) => (statement.about === "namespace" ? [statement.namespace] : [])),
  });
}
