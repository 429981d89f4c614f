import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    globalSetup: "set-up.ts",
    // Each starts processes, of which some install or compile.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
    retry: 0,
    projects: [
      { extends: true, test: { name: "packages", include: ["*.test.ts"], exclude: ["browser.test.ts"] } },
      // It installs a browser where there is none, which takes longer than all the others.
      { extends: true, test: { name: "browser", include: ["browser.test.ts"] } },
    ],
  },
});
