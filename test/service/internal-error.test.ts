import { afterEach, describe, expect, it } from "vitest";
import { post, send } from "../http-client.ts";
import { askingPod, type Running, review, startService } from "./scene.ts";

let service: Running;
afterEach(() => service.stop());

describe("an exception inside", () => {
  it("is answered with an allowed, untouched pod, logged with the uid, and counted", async () => {
    service = await startService({
      admit() {
        throw new Error("a defect");
      },
    });
    const { status, json } = await post(`${service.admission}/mutate`, review(askingPod(), { uid: "who-1" }));
    expect(status).toBe(200);
    expect(json.response).toMatchObject({ uid: "who-1", allowed: true, auditAnnotations: { reason: "InternalError" } });
    expect(json.response.patch).toBeUndefined();
    expect(json.response.warnings).toEqual([expect.stringMatching(/^InternalError: /)]);
    expect(service.log).toContainEqual(
      expect.objectContaining({ uid: "who-1", err: expect.objectContaining({ message: "a defect" }) }),
    );
    const metrics = await send(`${service.config}/metrics`);
    expect(metrics.text).toMatch(/^smc_webhook_internal_errors_total 1$/m);
    expect(metrics.text).toMatch(/^smc_webhook_admissions_total\{reason="InternalError",patched="false"\} 1$/m);
  });
});
