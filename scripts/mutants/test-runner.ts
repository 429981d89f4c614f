/**
 * Runs the tests of one mutant after another, in a process of its own, so that one that hangs can be
 * ended with it. Vitest stays up between them: starting it takes longer than the tests.
 */
import { resolve } from "node:path";
import { createVitest, type Vitest } from "vitest/node";

/** What the parent asks: run these tests with that text in place of the file's own. */
export interface Task {
  readonly file: string;
  readonly source: string;
  /** Run in this order, up to the first that fails. */
  readonly tests: readonly string[];
  /** Leave out the tests whose names contain this. */
  readonly without?: string;
}

/** What it is told. */
export interface Verdict {
  /** What the tests failed with; null: they passed. */
  readonly failure: string | null;
}

let planted: { readonly file: string; readonly source: string } | null = null;

const vitest = await createVitest(
  {
    watch: false,
    // A thread starts several times faster than a process.
    pool: "threads",
    maxWorkers: 1,
    bail: 1,
    // It would serve what was there before.
    fsModuleCache: false,
    reporters: [{}],
    silent: true,
    testTimeout: 10_000,
  },
  {
    plugins: [
      {
        name: "mutant",
        enforce: "pre",
        load: (id) => (id === planted?.file ? planted.source : undefined),
      },
    ],
  },
);
await vitest.standalone();

process.on("message", (task: Task) => {
  void run(vitest, task).then((verdict) => process.send?.(verdict));
});
process.on("disconnect", () => process.exit());
process.send?.({ failure: null } satisfies Verdict);

async function run(runner: Vitest, { file, source, tests, without }: Task): Promise<Verdict> {
  if (without === undefined) runner.resetGlobalTestNamePattern();
  else runner.setGlobalTestNamePattern(new RegExp(`^(?!.*${RegExp.escape(without)})`));
  planted = { file: resolve(file), source };
  runner.invalidateFile(planted.file);
  try {
    for (const test of tests) {
      const { testModules, unhandledErrors } = await runner.runTestFiles([resolve(test)]);
      const module = testModules.find(({ moduleId }) => moduleId === resolve(test));
      if (module === undefined) return { failure: `${test}: Vitest did not find it` };
      if (!module.ok() || unhandledErrors.length > 0) return { failure: test };
    }
    return { failure: null };
  } finally {
    runner.invalidateFile(planted.file);
    planted = null;
  }
}
