import type { FastifyInstance } from "fastify";
import type { Service } from "../service.ts";

/** `GET /nodes`: every node that a labeler has judged, the eligible ones first, with method or reason. */
export function routeNodes(app: FastifyInstance, { mesh }: Service): void {
  app.get("/nodes", async () => {
    const nodes = [...(mesh.state?.nodes.values() ?? [])].sort(
      (a, b) => Number(b.eligible) - Number(a.eligible) || (a.name < b.name ? -1 : 1),
    );
    const eligible = mesh.state?.eligible.size ?? 0;
    return { eligible, notEligible: nodes.length - eligible, known: mesh.state !== undefined, nodes };
  });
}
