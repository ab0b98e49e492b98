import { afterEach, describe, expect, it } from "vitest";
import { mesh } from "../admission/scene.ts";
import { send } from "../http-client.ts";
import { type Running, startService } from "./scene.ts";

let service: Running;
afterEach(() => service.stop());

const get = async (path: string) => send(`${service.config}${path}`);

describe("GET /config", () => {
  it("says the switch, its source and age, and the settings in force", async () => {
    service = await startService();
    const { status, json } = await get("/config");
    expect(status).toBe(200);
    expect(json.mesh).toMatchObject({ smcEnabled: true, source: { kind: "test" }, namespaces: 1, faults: [] });
    expect(json.mesh.ageSeconds).toBeGreaterThanOrEqual(0);
    expect(json.settings.inForce.placement).toEqual({ mode: "prefer", weight: 100 });
  });

  it("says that the switch is unknown before the mesh has been read, and what is wrong", async () => {
    const faults = [{ where: "mesh.yaml:3", message: "broken" }];
    service = await startService({ state: undefined, faults });
    expect((await get("/config")).json.mesh).toMatchObject({ smcEnabled: "unknown", resourceVersion: null, faults });
  });
});

describe("GET /nodes", () => {
  it("lists eligible nodes first, with method or reason", async () => {
    service = await startService({ state: mesh({ eligible: { b: {}, a: {} }, notEligible: { c: "NoRdmaDevice" } }) });
    expect((await get("/nodes")).json).toEqual({
      eligible: 2,
      notEligible: 1,
      known: true,
      nodes: [
        { name: "a", eligible: true, reason: "Eligible", method: "bpf" },
        { name: "b", eligible: true, reason: "Eligible", method: "bpf" },
        { name: "c", eligible: false, reason: "NoRdmaDevice" },
      ],
    });
  });
});

describe("GET /healthz", () => {
  it("answers on both listeners whatever the mesh says", async () => {
    service = await startService({ state: undefined, stopping: () => true });
    for (const url of [service.admission, service.config]) {
      expect((await send(`${url}/healthz`)).json).toEqual({ status: "ok" });
    }
  });
});

describe("GET /readyz", () => {
  it("is ready when the mesh has been read and the certificate is valid", async () => {
    service = await startService();
    const { status, json } = await send(`${service.admission}/readyz`);
    expect(status).toBe(200);
    expect(json.status).toBe("ready");
    expect(Object.keys(json.checks)).toEqual(["mesh", "certificate", "running"]);
  });

  it("is not ready before the mesh has been read, and says what is wrong", async () => {
    service = await startService({ state: undefined, faults: [{ where: "mesh.yaml:3", message: "broken" }] });
    const { status, json } = await get("/readyz");
    expect(status).toBe(503);
    expect(json.checks.mesh).toEqual({ ok: false, detail: expect.stringContaining("mesh.yaml:3: broken") });
    expect(json.checks.certificate.ok).toBe(true);
  });

  it("is not ready while it stops", async () => {
    service = await startService({ stopping: () => true });
    const { status, json } = await get("/readyz");
    expect([status, json.checks.running.ok]).toEqual([503, false]);
  });
});

describe("GET /metrics", () => {
  it("speaks of mesh, nodes, certificate and process", async () => {
    service = await startService({ state: mesh({ notEligible: { c: "NoRdmaDevice" } }) });
    const { headers, text } = await get("/metrics");
    expect(headers["content-type"]).toMatch(/^text\/plain/);
    expect(text).toMatch(/^smc_webhook_mesh_enabled 1$/m);
    expect(text).toMatch(/^smc_webhook_nodes\{eligible="true"\} 1$/m);
    expect(text).toMatch(/^smc_webhook_nodes\{eligible="false"\} 1$/m);
    expect(text).toMatch(/^smc_webhook_certificate_not_after_timestamp_seconds \d{10}/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  });

  it("count what was refused", async () => {
    service = await startService();
    await get("/nowhere");
    expect((await get("/metrics")).text).toMatch(/^smc_webhook_request_errors_total\{code="NotFound"\} 1$/m);
  });
});
