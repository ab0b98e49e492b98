import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ServingCertificate } from "../certs/serve.ts";
import type { MeshView } from "./mesh/view.ts";

export type Metrics = ReturnType<typeof createMetrics>;

/** What Prometheus can ask of the service. Names follow its conventions: base units, `_total` for counters. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    admissions: new Counter({
      name: "smc_webhook_admissions_total",
      help: "Admission requests answered, by reason code and by whether the pod was patched.",
      labelNames: ["reason", "patched"],
      registers,
    }),
    duration: new Histogram({
      name: "smc_webhook_admission_duration_seconds",
      help: "Time from an admission request's last byte to its answer.",
      buckets: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25],
      registers,
    }),
    internalErrors: new Counter({
      name: "smc_webhook_internal_errors_total",
      help: "Exceptions that were caught while a request was answered.",
      registers,
    }),
    requestErrors: new Counter({
      name: "smc_webhook_request_errors_total",
      help: "Requests refused, by error code.",
      labelNames: ["code"],
      registers,
    }),
  };
}

/** Gauges that are read when Prometheus asks. */
export function observe({ registry }: Metrics, mesh: MeshView, certificate: ServingCertificate, now: () => Date): void {
  const registers = [registry];
  new Gauge({
    name: "smc_webhook_mesh_enabled",
    help: "1 where the mesh's switch is on, 0 where it is off or unknown.",
    registers,
    collect() {
      this.set(mesh.state?.meshSwitch.enabled ? 1 : 0);
    },
  });
  new Gauge({
    name: "smc_webhook_mesh_age_seconds",
    help: "Time since the mesh's state was last known to be up to date; absent before the first reading.",
    registers,
    collect() {
      this.reset();
      if (mesh.readAt) this.set((now().getTime() - mesh.readAt.getTime()) / 1000);
      else this.remove();
    },
  });
  new Gauge({
    name: "smc_webhook_mesh_faults",
    help: "What keeps the mesh's state from being up to date, counted.",
    registers,
    collect() {
      this.set(mesh.faults.length);
    },
  });
  new Gauge({
    name: "smc_webhook_nodes",
    help: "Nodes that a labeler has judged, by eligibility.",
    labelNames: ["eligible"],
    registers,
    collect() {
      const eligible = mesh.state?.eligible.size ?? 0;
      this.set({ eligible: "true" }, eligible);
      this.set({ eligible: "false" }, (mesh.state?.nodes.size ?? 0) - eligible);
    },
  });
  new Gauge({
    name: "smc_webhook_certificate_not_after_timestamp_seconds",
    help: "When the serving certificate ends, in Unix time.",
    registers,
    collect() {
      this.set(certificate.notAfter.getTime() / 1000);
    },
  });
}
