/** Which tests stand for a file that carries a guarantee: the quickest first, as the first that fails is enough. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "src/core/lease.ts": ["test/unit/core/lease.test.ts"],
  "src/core/state/transitions.ts": [
    "test/unit/core/state/transitions.test.ts",
    "test/unit/core/state/states-doc.test.ts",
  ],
  "src/core/state/ending.ts": [
    "test/unit/core/state/ending.test.ts",
    "test/unit/core/state/retry-after-failure.test.ts",
  ],
  "src/core/state/misfire.ts": ["test/unit/core/state/misfire.test.ts"],
  "src/node/own-lease.ts": ["test/unit/node/own-lease.test.ts"],
  "src/node/runner.ts": ["test/unit/node/runner.test.ts", "test/unit/node/early-claims.test.ts"],
  "src/node/slot-queue.ts": ["test/unit/node/runner.test.ts", "test/unit/node/early-claims.test.ts"],
  "src/node/early-claims.ts": ["test/unit/node/early-claims.test.ts", "test/unit/node/runner.test.ts"],
  "src/node/held-claim.ts": ["test/unit/node/held-claim.test.ts", "test/unit/node/runner.test.ts"],
  "src/node/puller.ts": ["test/unit/node/puller.test.ts"],
  "src/node/let-jobs-end.ts": ["test/unit/node/puller.test.ts"],
  "src/node/result-writer.ts": [
    "test/unit/node/result-writer.test.ts",
    "test/unit/node/result-writer-faults.test.ts",
  ],
  "src/master/election/elector.ts": ["test/unit/master/election/elector.test.ts"],
  "src/master/election/dead-masters.ts": ["test/unit/master/election/dead-masters.test.ts"],
  "src/master/nodes/node-sessions.ts": ["test/unit/master/nodes/node-sessions.test.ts"],
  "src/master/nodes/node-claims.ts": ["test/unit/master/nodes/node-claims.test.ts"],
  "src/master/nodes/judge-claims.ts": ["test/unit/master/nodes/judge-claims.test.ts"],
  "src/master/nodes/absent-nodes.ts": ["test/unit/master/nodes/absent-nodes.test.ts"],
  "src/master/nodes/ping-trust.ts": ["test/unit/master/nodes/ping-trust.test.ts"],
  "src/master/memory/claim-holders.ts": ["test/unit/master/memory/claim-holders.test.ts"],
  "src/master/dispatch/dispatcher.ts": ["test/unit/master/dispatch/dispatcher.test.ts"],
  "src/store/mysql/fence.ts": ["test/conformance/store/fence.test.ts"],
  "src/store/mysql/claim-jobs.ts": [
    "test/conformance/store/claims.test.ts",
    "test/conformance/store/fence.test.ts",
  ],
  "src/store/mysql/write-results.ts": [
    "test/unit/store/mysql/write-results.test.ts",
    "test/conformance/store/results.test.ts",
    "test/conformance/store/fence.test.ts",
  ],
  "src/store/mysql/project-jobs.ts": [
    "test/conformance/store/claims.test.ts",
    "test/conformance/store/results.test.ts",
    "test/conformance/store/fence.test.ts",
  ],
  "src/store/mysql/change-job.ts": [
    "test/conformance/store/jobs.test.ts",
    "test/conformance/store/keys.test.ts",
    "test/conformance/store/fence.test.ts",
    "test/conformance/store/mysql-cuts.test.ts",
  ],
};
