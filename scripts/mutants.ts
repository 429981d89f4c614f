/**
 * `npm run mutants`: plants one fault after another in the files that carry guarantees, runs the tests
 * that stand for each file, and lists the faults that none of them notices. `npm run mutants -- src/core/lease.ts`
 * does so for some of the files. It fails when a fault survives that scripts/mutants/equivalents.ts does not explain.
 */
import { readFileSync } from "node:fs";
import { EQUIVALENTS } from "./mutants/equivalents.ts";
import { GUARDED_FILES, type GuardedFile } from "./mutants/guarded-files.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { mutantsOf } from "./mutants/mutants-of.ts";
import { TestProcess } from "./mutants/test-process.ts";
import { startTestServers } from "./test-servers.ts";

const AT_ONCE = 2;
/** A mutant that hangs is killed by the time that its tests take: so many times what they take without a fault, and more. */
const LIMIT_FACTOR = 3;
const LIMIT_MORE_MS = 5000;

interface Outcome {
  readonly mutant: Mutant;
  readonly line: string;
  readonly lineNumber: number;
  readonly fate: "killed" | "timed out" | "survived";
}

// The servers are told to stop when the process exits, and a signal alone ends it without that.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

const names = process.argv.slice(2);
const files = GUARDED_FILES.filter(({ path }) => names.length === 0 || names.includes(path));
const unknown = names.filter((name) => !GUARDED_FILES.some(({ path }) => path === name));
if (unknown.length > 0) {
  console.error(`Not in scripts/mutants/guarded-files.ts: ${unknown.join(", ")}`);
  process.exitCode = 1;
} else {
  process.exitCode = (await main()) ? 0 : 1;
}

async function main(): Promise<boolean> {
  const servers = files.some(({ onServers }) => onServers) ? await startTestServers() : null;
  const processes = Array.from(
    { length: AT_ONCE },
    () => new TestProcess({ ...process.env, ...servers?.environment }),
  );
  try {
    let isClean = true;
    for (const file of files) {
      const outcomes = await tryMutants(file, processes);
      if (!report(file.path, outcomes)) isClean = false;
    }
    return isClean;
  } finally {
    for (const one of processes) one.stop();
    await servers?.stop();
  }
}

async function tryMutants(
  { path, tests, onServers }: GuardedFile,
  processes: readonly TestProcess[],
): Promise<Outcome[]> {
  const source = readFileSync(path, "utf8");
  const common = { file: path, tests, ...(onServers && { without: "(sqlite)" }) };
  const startedAt = performance.now();
  const [first] = processes;
  const verdict = await first?.run({ ...common, source }, 600_000);
  if (verdict === undefined || verdict === "timed out" || verdict.failure !== null)
    throw new Error(`${path}: its tests fail without a fault: ${JSON.stringify(verdict)}`);
  const limitMs = Math.ceil(LIMIT_FACTOR * (performance.now() - startedAt) + LIMIT_MORE_MS);
  const mutants = mutantsOf(path, source);
  const outcomes: Outcome[] = [];
  let next = 0;
  await Promise.all(
    processes.map(async (one) => {
      for (let index = next++; index < mutants.length; index = next++) {
        const mutant = mutants[index];
        if (mutant === undefined) return;
        const mutated = source.slice(0, mutant.start) + mutant.replacement + source.slice(mutant.end);
        const task = { ...common, source: mutated };
        let result = await one.run(task, limitMs);
        // A machine that is busy with other things kills no mutant.
        if (result === "timed out") result = await one.run(task, limitMs);
        const before = source.slice(0, mutant.start).split("\n");
        outcomes[index] = {
          mutant,
          line: source.split("\n")[before.length - 1]?.trim() ?? "",
          lineNumber: before.length,
          fate: result === "timed out" ? "timed out" : result.failure === null ? "survived" : "killed",
        };
      }
    }),
  );
  return outcomes;
}

/** False: something is left to do. */
function report(path: string, outcomes: readonly Outcome[]): boolean {
  const survivors = outcomes.filter(({ fate }) => fate === "survived");
  const known = EQUIVALENTS.filter(({ file }) => file === path).flatMap(({ line, what }) =>
    what.map((mutation) => ({ line, what: mutation })),
  );
  const isExplained = (one: Outcome) =>
    known.some(({ line, what }) => line === one.line && what === one.mutant.what);
  const unexplained = survivors.filter((one) => !isExplained(one));
  const stale = known.filter(
    ({ line, what }) => !survivors.some((one) => one.line === line && one.mutant.what === what),
  );
  const count = (fate: Outcome["fate"]) => outcomes.filter((one) => one.fate === fate).length;
  console.log(
    `${path}: ${outcomes.length} mutants, ${count("killed")} killed, ${count("timed out")} timed out, ` +
      `${survivors.length - unexplained.length} explained, ${unexplained.length} survived`,
  );
  for (const { line, lineNumber, mutant } of unexplained)
    console.log(`  ${path}:${lineNumber} ${line}\n    ${mutant.what}`);
  for (const { line, what } of stale) console.log(`  explained, but no survivor: ${line}\n    ${what}`);
  return unexplained.length === 0 && stale.length === 0;
}
