import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from "fastify";
import { routeConfig } from "./config/config.ts";
import { routeExplain } from "./config/explain.ts";
import { routeNodes } from "./config/nodes.ts";
import { routeHealth } from "./health.ts";
import { routeMutate } from "./mutate.ts";
import { answerErrors, refuseBytes, refuseEarly } from "./refuse.ts";
import type { Service } from "./service.ts";

/**
 * What controller-runtime takes too: etcd holds objects of 1.5 MB, and an AdmissionReview may have two of them, in
 * JSON, which is longer.
 */
export const MAX_BODY = 7 * 1024 * 1024;

const OPTIONS = {
  bodyLimit: MAX_BODY,
  // The API server keeps idle connections for 90 s; whoever closes first must not be us.
  keepAliveTimeout: 120_000,
  // A request must be complete within this time: the API server gives up after 30 s at the latest.
  requestTimeout: 30_000,
  // While the service stops, what still arrives is answered: a 503 would refuse a pod under failurePolicy Fail.
  return503OnClosing: false,
  frameworkErrors: refuseEarly,
  clientErrorHandler: refuseBytes,
} as const satisfies FastifyServerOptions;

/** The HTTPS listener, which the API server calls. */
export function admissionServer(service: Service): FastifyInstance {
  const { cert, key } = service.certificate.pair;
  const https = { cert, key, minVersion: "TLSv1.2" } as const;
  const app: FastifyInstance = Fastify({ ...OPTIONS, logController: quiet(), https });
  service.certificate.onChange((pair) => {
    if ("setSecureContext" in app.server && typeof app.server.setSecureContext === "function") {
      app.server.setSecureContext({ ...https, ...pair });
    }
  });
  prepare(app, service);
  routeMutate(app, service);
  routeHealth(app, service);
  return app;
}

/** The HTTP listener, for people and for Prometheus. */
export function configServer(service: Service): FastifyInstance {
  const app: FastifyInstance = Fastify({ ...OPTIONS, logController: quiet() });
  prepare(app, service);
  routeHealth(app, service);
  routeConfig(app, service);
  routeNodes(app, service);
  routeExplain(app, service);
  const { registry } = service.metrics;
  app.get("/metrics", async (_request, reply) => {
    reply.header("content-type", registry.contentType);
    return registry.metrics();
  });
  return app;
}

/** A line for every request would cost a seventh of the throughput; decisions are logged by what decides. */
function quiet() {
  return new LogController({ disableRequestLogging: true });
}

function prepare(app: FastifyInstance, service: Service): void {
  // Bodies are parsed by the routes, which know what they take.
  app.removeAllContentTypeParsers();
  answerErrors(app, service);
  app.addHook("onSend", async (_request, reply) => {
    // Whoever keeps a connection is told to make the next one elsewhere.
    if (service.stopping()) reply.header("connection", "close");
  });
}
