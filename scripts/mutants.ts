/**
 * `npm run mutants [-- file …]`: changes the files that carry the guarantees, one place at a time, and runs the tests
 * that stand for each. A change that no test notices is a survivor: it is killed by a new test, or explained in
 * `scripts/mutants/explained.ts`. Without arguments it takes all of them.
 */
import { readFileSync } from "node:fs";
import { EXPLAINED } from "./mutants/explained.ts";
import { type Mutant, makeMutants } from "./mutants/make-mutants.ts";
import { ROOMS } from "./mutants/rooms.ts";
import { Tester } from "./mutants/tester.ts";
import { needServers } from "./test-files.ts";
import { NO_SERVERS, startTestServers } from "./test-servers.ts";

const FIRST_LIMIT_MS = 300_000;
/** How much longer than without a change the tests may take. */
const LIMIT_FACTOR = 4;
const SHORTEST_LIMIT_MS = 15_000;

const files = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(ROOMS);
const unknown = files.find((file) => ROOMS[file] === undefined);
if (unknown !== undefined) {
  console.error(`${unknown} is none of ${Object.keys(ROOMS).join(", ")}`);
  process.exit(2);
}
const servers = needServers(files.flatMap((file) => ROOMS[file] ?? []))
  ? await startTestServers()
  : NO_SERVERS;
const tester = new Tester(servers.environment);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    tester.stop();
    void servers.stop().then(() => process.exit(130));
  });
}
try {
  let problems = 0;
  for (const file of files) problems += await testFile(file, ROOMS[file] ?? []);
  console.log(problems === 0 ? "No mutant survived unexplained." : `${problems} to look at.`);
  process.exitCode = problems === 0 ? 0 : 1;
} finally {
  tester.stop();
  await servers.stop();
}

/** Returns how many survived, or are explained and should not be. */
async function testFile(file: string, tests: readonly string[]): Promise<number> {
  const source = readFileSync(file, "utf8");
  const startedAt = performance.now();
  const unchanged = await tester.test(file, source, tests, FIRST_LIMIT_MS);
  if (unchanged.kind !== "survived") {
    console.error(`${file}: its tests fail without any change (${JSON.stringify(unchanged)})`);
    return 1;
  }
  const limitMs = Math.max(SHORTEST_LIMIT_MS, LIMIT_FACTOR * (performance.now() - startedAt));
  const counts = { killed: 0, hung: 0, explained: 0 };
  const problems: string[] = [];
  const stale = new Set(EXPLAINED.filter((one) => one.file === file));
  for (const mutant of makeMutants(file, source)) {
    const explained = EXPLAINED.find((one) => isAbout(one, file, mutant));
    const { kind } = await tester.test(file, mutant.source, tests, limitMs);
    if (kind !== "survived") {
      counts[kind]++;
    } else if (explained === undefined) {
      problems.push(`survived: ${describe(file, mutant)}`);
    } else {
      counts.explained++;
      // Of several on a line that read alike, one that survives is enough.
      stale.delete(explained);
    }
  }
  await tester.test(file, source, [], limitMs);
  for (const { text, change } of stale)
    problems.push(`explained, and killed or not there: ${text} (${change})`);
  const { killed, hung, explained } = counts;
  console.log(
    `${file}: ${killed} killed, ${hung} hung, ${explained} explained, ${problems.length} to look at`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
  return problems.length;
}

function isAbout(one: (typeof EXPLAINED)[number], file: string, mutant: Mutant): boolean {
  return one.file === file && one.text === mutant.text && one.change === mutant.change;
}

function describe(file: string, { line, text, change }: Mutant): string {
  return `${file}:${line} ${change}: ${text}`;
}
