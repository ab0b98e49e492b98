import type { FastifyInstance } from "fastify";
import type { Service } from "../service.ts";

/** `GET /config`: the mesh's switch and where it was read, and the settings in force. */
export function routeConfig(app: FastifyInstance, service: Service): void {
  app.get("/config", async () => {
    const { mesh, settings, now } = service;
    const { state, source, readAt, faults } = mesh;
    return {
      version: service.version,
      mesh: {
        /** `unknown` until the source has been read once. */
        smcEnabled: state?.meshSwitch.enabled ?? "unknown",
        ...(state?.meshSwitch.note !== undefined && { note: state.meshSwitch.note }),
        resourceVersion: state?.meshSwitch.resourceVersion ?? null,
        source,
        readAt: readAt ?? null,
        ageSeconds: readAt ? (now().getTime() - readAt.getTime()) / 1000 : null,
        namespaces: state?.namespaces.size ?? 0,
        faults,
      },
      settings: {
        loadedAt: settings.loadedAt,
        fault: settings.fault ?? null,
        inForce: settings.current,
      },
    };
  });
}
