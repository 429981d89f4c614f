/** The files that carry guarantees, and the tests that stand for each, the quickest first. */
export interface GuardedFile {
  readonly path: string;
  readonly tests: readonly string[];
  /** They need MySQL; the same tests on SQLite say nothing of the file. */
  readonly onServers?: true;
}

const STATE = "test/unit/core/state";
const NODE = "test/unit/node";
const NODES = "test/unit/master/nodes";
const SIMULATION = ["test/simulation/repairs.test.ts", "test/simulation/faults.test.ts"];

export const GUARDED_FILES: readonly GuardedFile[] = [
  { path: "src/core/lease.ts", tests: ["test/unit/core/lease.test.ts"] },
  { path: "src/core/state/transitions.ts", tests: [`${STATE}/transitions.test.ts`] },
  {
    path: "src/core/state/ending.ts",
    tests: [`${STATE}/ending.test.ts`, `${STATE}/retry-after-failure.test.ts`],
  },
  { path: "src/core/state/misfire.ts", tests: [`${STATE}/misfire.test.ts`, `${STATE}/ledger.test.ts`] },
  { path: "src/node/own-lease.ts", tests: [`${NODE}/own-lease.test.ts`] },
  { path: "src/node/runner.ts", tests: [`${NODE}/runner.test.ts`, `${NODE}/early-claims.test.ts`] },
  { path: "src/node/puller.ts", tests: [`${NODE}/puller.test.ts`] },
  {
    path: "src/node/result-writer.ts",
    tests: [`${NODE}/result-writer.test.ts`, `${NODE}/result-writer-faults.test.ts`],
  },
  { path: "src/master/election/elector.ts", tests: ["test/unit/master/election/elector.test.ts"] },
  { path: "src/master/nodes/ping-trust.ts", tests: [`${NODES}/ping-trust.test.ts`] },
  { path: "src/master/nodes/judge-claims.ts", tests: [`${NODES}/judge-claims.test.ts`] },
  { path: "src/master/nodes/node-sessions.ts", tests: SIMULATION },
  { path: "src/master/nodes/absent-nodes.ts", tests: SIMULATION },
  { path: "src/master/dispatch/dispatcher.ts", tests: SIMULATION },
  { path: "src/store/mysql/fence.ts", tests: conformance("fence"), onServers: true },
  { path: "src/store/mysql/claim-jobs.ts", tests: conformance("claims", "fence"), onServers: true },
  {
    path: "src/store/mysql/write-results.ts",
    tests: conformance("results", "fence", "mysql-cuts"),
    onServers: true,
  },
  {
    path: "src/store/mysql/project-jobs.ts",
    tests: conformance("claims", "fence", "mysql-cuts"),
    onServers: true,
  },
  {
    path: "src/store/mysql/change-job.ts",
    tests: conformance("jobs", "keys", "fence", "mysql-cuts"),
    onServers: true,
  },
];

function conformance(...suites: string[]): string[] {
  return suites.map((suite) => `test/conformance/store/${suite}.test.ts`);
}
