import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const EXAMPLE = "examples/testing/report.test.ts";
const textOf = (path: string) => readFile(join(ROOT, path), "utf8");

test("the example runs in Node's own test runner, and leaves nothing that keeps the process alive", async () => {
  const run = promisify(execFile)(process.execPath, ["--test", "--test-reporter=tap", EXAMPLE], {
    cwd: ROOT,
    timeout: 25_000,
  });
  expect((await run).stdout).toContain("# pass 1\n");
});

test("the page on testing shows the example as it is", async () => {
  const [, shown] = /```ts\n([\s\S]*?)```/.exec(await textOf("docs/testing.md")) ?? [];
  const [, ...code] = (await textOf(EXAMPLE)).split("\n");
  expect(shown).toBe(code.join("\n"));
});
