import { isEmptyTerm, type LabelledNode, type NodeDemand, namedNode, suits } from "./node-selector.ts";
import type { NodeSelectorTerm } from "./pod.ts";

/** The nodes that can do SMC, ready to be asked for every pod. */
export interface EligibleNodes {
  readonly size: number;
  has(name: string): boolean;
  /** Whether at least one of them suits the demand. */
  someSuits(demand: NodeDemand): boolean;
}

/**
 * An admission's cost must not grow with the number of nodes. Three things keep it so: a demand that names label
 * values looks only at the nodes that carry the rarest of them; the first node that suits ends the search; and pods
 * of one workload, which all make the same demand, get the remembered answer.
 */
const MAX_REMEMBERED = 1024;
/** Characters; a longer demand is not remembered, so that pods' authors cannot fill the memory. */
const MAX_KEY = 4096;
/**
 * Comparisons, about a quarter of a second of them. No demand that a person wrote comes near; one of thousands of
 * terms, which would hold up every other admission, is taken to be satisfiable: the scheduler has the last word.
 */
const MAX_WORK = 1_000_000;

const NOBODY: ReadonlyMap<string, readonly LabelledNode[]> = new Map();

export function eligibleNodes(nodes: Iterable<LabelledNode>): EligibleNodes {
  const byName = new Map<string, LabelledNode>();
  for (const node of nodes) byName.set(node.name, node);
  const all = [...byName.values()];
  const carriers = new Map<string, ReadonlyMap<string, readonly LabelledNode[]>>();
  let labels: ReadonlySet<string> | undefined;
  const remembered = new Map<string, boolean>();

  /** The nodes that carry a label, by its value; made when the label is first asked for. */
  const carriersOf = (key: string) => {
    labels ??= new Set(all.flatMap((node) => [...node.labels.keys()]));
    if (!labels.has(key)) return NOBODY;
    const found = carriers.get(key) ?? groupByLabel(all, key);
    carriers.set(key, found);
    return found;
  };

  const search = (demand: NodeDemand): boolean => {
    const { nodeSelector, terms } = demand;
    let pool: readonly LabelledNode[] = all;
    for (const [key, value] of Object.entries(nodeSelector)) {
      if (pool.length === 0) return false;
      const carrying = carriersOf(key).get(value) ?? [];
      if (carrying.length < pool.length) pool = carrying;
    }
    if (!terms) return pool.some((node) => suits(demand, node));
    let work = 0;
    return terms.some((term) => {
      if (isEmptyTerm(term)) return false;
      const named = namedNode(term);
      const single = named === undefined ? undefined : byName.get(named);
      let candidates: readonly LabelledNode[] = named === undefined ? pool : single ? [single] : [];
      for (const { key, operator, values } of term.matchExpressions ?? []) {
        if (operator !== "In") continue;
        const groups = carriersOf(key);
        const carrying = [...new Set(values)].map((value) => groups.get(value) ?? []);
        const count = carrying.reduce((sum, { length }) => sum + length, 0);
        if (count < candidates.length) candidates = carrying.flat();
      }
      work += candidates.length * comparisons(term);
      if (work > MAX_WORK) return true;
      return candidates.some((node) => suits({ nodeSelector, terms: [term] }, node));
    });
  };

  return {
    size: all.length,
    has: (name) => byName.has(name),
    someSuits(demand) {
      if (all.length === 0) return false;
      if (!demand.terms && Object.keys(demand.nodeSelector).length === 0) return true;
      const key = JSON.stringify([demand.nodeSelector, demand.terms]);
      const known = remembered.get(key);
      if (known !== undefined) return known;
      const answer = search(demand);
      if (key.length <= MAX_KEY) {
        if (remembered.size >= MAX_REMEMBERED) remembered.clear();
        remembered.set(key, answer);
      }
      return answer;
    },
  };
}

function comparisons({ matchExpressions, matchFields }: NodeSelectorTerm): number {
  const requirements = [...(matchExpressions ?? []), ...(matchFields ?? [])];
  return requirements.reduce((sum, { values }) => sum + 1 + (values?.length ?? 0), 0);
}

function groupByLabel(nodes: readonly LabelledNode[], key: string): ReadonlyMap<string, readonly LabelledNode[]> {
  const groups = new Map<string, LabelledNode[]>();
  for (const node of nodes) {
    const value = node.labels.get(key);
    if (value === undefined) continue;
    const group = groups.get(value);
    if (group) group.push(node);
    else groups.set(value, [node]);
  }
  return groups;
}
