import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

export interface Asked {
  readonly verb: string;
  readonly resource: string;
  /** Empty where the request names no object, as a list without a field selector. */
  readonly name: string;
}

interface Rule {
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const FILE = fileURLToPath(new URL("../../../manifests/base/rbac.yaml", import.meta.url));

/** What manifests/base grants for certificates. */
export const RULES: readonly Rule[] = parseAllDocuments(readFileSync(FILE, "utf8"))
  .flatMap((document): readonly Rule[] => document.toJS().rules ?? [])
  .filter(({ resources }) => ["secrets", "mutatingwebhookconfigurations"].includes(resources[0] ?? ""));

/** Kubernetes' rule: the name of a request to create is not known when it is asked. */
export const allows = (rules: readonly Rule[], { verb, resource, name }: Asked): boolean =>
  rules.some(
    ({ resources, resourceNames, verbs }) =>
      resources.includes(resource) &&
      verbs.includes(verb) &&
      (!resourceNames || (verb !== "create" && resourceNames.includes(name))),
  );
