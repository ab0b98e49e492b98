import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { openServingCertificate } from "../../certs/serve.ts";
import { admit } from "../../webhook/admission/admit.ts";
import type { MeshState, MeshView } from "../../webhook/mesh/view.ts";
import { createMetrics, observe } from "../../webhook/metrics.ts";
import { admissionServer, configServer } from "../../webhook/server.ts";
import type { Service } from "../../webhook/service.ts";
import { DEFAULTS } from "../../webhook/settings/load.ts";
import { mesh } from "../admission/scene.ts";

/** The service's two listeners in this process, on real sockets, over a mesh that the test decides on. */
export interface Running {
  readonly admission: string;
  readonly config: string;
  /** Lines that were logged. */
  readonly log: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

export interface Parts {
  readonly state?: MeshState | undefined;
  readonly faults?: MeshView["faults"];
  readonly admit?: Service["admit"];
  readonly stopping?: () => boolean;
}

export async function startService(parts: Parts = {}): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "smc-service-"));
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const certificate = await openServingCertificate({
    folder: join(folder, "tls"),
    issue: { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] },
    log,
  });
  const view: MeshView = {
    state: "state" in parts ? parts.state : mesh(),
    source: { kind: "test", location: "memory" },
    readAt: new Date(),
    faults: parts.faults ?? [],
    close: async () => {},
  };
  const metrics = createMetrics();
  observe(metrics, view, certificate, () => new Date());
  const service: Service = {
    version: "0.0.0-test",
    settings: { current: DEFAULTS, loadedAt: new Date(), fault: undefined },
    mesh: view,
    certificate,
    metrics,
    log,
    now: () => new Date(),
    stopping: parts.stopping ?? (() => false),
    admit: parts.admit ?? admit,
  };
  const apps = [admissionServer(service), configServer(service)] as const;
  const [admission, config] = await Promise.all(apps.map((app) => app.listen({ host: "127.0.0.1", port: 0 })));
  return {
    admission: admission ?? "",
    config: config ?? "",
    log: lines,
    async stop() {
      await Promise.all(apps.map((app) => app.close()));
      certificate.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A review of a pod's creation as the API server sends it. */
export function review(object: unknown, request: Readonly<Record<string, unknown>> = {}) {
  const kind = { group: "", version: "v1", kind: "Pod" };
  const resource = { group: "", version: "v1", resource: "pods" };
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "7d1f",
      kind,
      resource,
      namespace: "default",
      operation: "CREATE",
      object,
      oldObject: null,
      ...request,
    },
  };
}

/** A pod that asks for SMC and gets it. */
export function askingPod(spec: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { generateName: "app-", annotations: { "smc.asm.alibabacloud.com/enabled": "true" } },
    spec: { containers: [{ name: "app", image: "app:1" }], ...spec },
  };
}
