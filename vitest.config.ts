import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // These need Docker or a browser, and have a runner of their own.
    exclude: ["test/e2e/**"],
    globalSetup: "test/servers/least-rights.ts",
    // The servers are shared: more files at once only make each slower and their timings worse.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
