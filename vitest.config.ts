import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // The servers are shared: more files at once only make each slower and their timings worse.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    retry: 0,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          // They leave nothing behind that another could see, and are many: a process for each took longer than they do.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "rooms",
          include: ["test/**/*.test.ts"],
          // Those of e2e need Docker or a browser, those of package an install: they have commands of their own.
          exclude: ["test/unit/**", "test/e2e/**", "test/package/**"],
          globalSetup: "test/servers/least-rights.ts",
        },
      },
    ],
  },
});
