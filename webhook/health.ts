import type { FastifyInstance } from "fastify";
import type { Service } from "./service.ts";

export interface Check {
  readonly ok: boolean;
  readonly detail: string;
}

/** Everything that must hold before pods are sent here, by name. */
export function readiness({ mesh, certificate, stopping, now }: Service): Readonly<Record<string, Check>> {
  return {
    mesh: meshCheck(
      mesh.state !== undefined,
      mesh.readAt,
      mesh.faults.map(({ where, message }) => `${where}: ${message}`),
      now(),
    ),
    certificate: certificate.check(),
    running: stopping()
      ? { ok: false, detail: "the service is stopping" }
      : { ok: true, detail: "the service takes requests" },
  };
}

/** A source that fails after it has been read once leaves the service ready: its last state serves on. */
function meshCheck(read: boolean, readAt: Date | undefined, faults: readonly string[], now: Date): Check {
  const age = readAt ? `read ${Math.round((now.getTime() - readAt.getTime()) / 1000)} s ago` : "not read yet";
  return { ok: read, detail: [age, ...faults].join("; ") };
}

/** `/healthz`: the process answers. `/readyz`: pods may be sent here, with each check by name. */
export function routeHealth(app: FastifyInstance, service: Service): void {
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const checks = readiness(service);
    const ready = Object.values(checks).every(({ ok }) => ok);
    return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready", checks });
  });
}
