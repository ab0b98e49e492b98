import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** `make e2e`: what needs the cluster for tests. `make test` leaves it out: its files do not end in .test.ts. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../..", import.meta.url)),
    include: ["test/{cluster,e2e}/**/*.e2e.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One cluster takes both cores of a small machine.
    fileParallelism: false,
  },
});
