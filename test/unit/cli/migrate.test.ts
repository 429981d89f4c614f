import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { migrateCommand } from "../../../src/cli/migrate.ts";

test("migrate makes the data folder of a machine on which nothing has run yet", async () => {
  const folder = mkdtempSync(join(tmpdir(), "elastic-job-migrate-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dataDir = join(folder, "not", "there");
  await migrateCommand({ DATA_DIR: dataDir }).parseAsync(["node", "migrate"]);
  expect(existsSync(join(dataDir, "elastic-job.db"))).toBe(true);
});
