/**
 * A process that keeps Vitest running on a copy of the tree, and tests one change after another: starting it for each
 * would take longer than most tests. It is told which file has changed and which tests to run, and says what came of it.
 */
import { join } from "node:path";
import { createVitest } from "vitest/node";

export interface TestRequest {
  readonly changed: string;
  readonly tests: readonly string[];
}

export interface TestAnswer {
  /** The first test that failed; null: none did. */
  readonly failed: string | null;
  readonly ran: number;
}

const root = process.cwd();
const vitest = await createVitest(
  {
    root,
    config: false,
    watch: false,
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    isolate: false,
    bail: 1,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: [{}],
    onUnhandledError: () => true,
  },
  { logLevel: "silent" },
);
await vitest.standalone();

process.on("message", (request: TestRequest) => {
  run(request).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ failed: `error: ${String(error)}`, ran: 0 } satisfies TestAnswer),
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

async function run({ changed, tests }: TestRequest): Promise<TestAnswer> {
  vitest.invalidateFile(join(root, changed));
  let ran = 0;
  for (const test of tests) {
    const specifications = await vitest.globTestSpecifications([test]);
    if (specifications.length === 0) throw new Error(`there is no test ${test}`);
    const { testModules, unhandledErrors } = await vitest.rerunTestSpecifications(specifications);
    // Those of earlier runs are among them.
    for (const module of testModules.filter(({ moduleId }) => moduleId === join(root, test))) {
      const cases = [...module.children.allTests()];
      ran += cases.length;
      const failed = cases.find((one) => one.result().state === "failed");
      if (failed !== undefined) return { failed: failed.fullName, ran };
      if (!module.ok()) return { failed: `${test} does not load`, ran };
    }
    if (unhandledErrors.length > 0) return { failed: `${test}: an unhandled error`, ran };
  }
  return { failed: null, ran };
}
