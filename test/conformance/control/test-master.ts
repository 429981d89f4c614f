/** A mastership on a real store, with a node that does what the test says. */

import { create } from "@bufbuild/protobuf";
import { type Assignment, assignmentsOf } from "../../../src/coordination/assignment.ts";
import { doneMessage } from "../../../src/coordination/done-claim.ts";
import type { Network } from "../../../src/coordination/network.ts";
import { ClusterTime } from "../../../src/core/cluster-time.ts";
import { OUTCOME, type Outcome } from "../../../src/core/job.ts";
import { project } from "../../../src/core/state/ending.ts";
import { KEEP_ALL } from "../../../src/core/state/retention.ts";
import {
  CreditSchema,
  type GetJobRequest,
  GetJobRequestSchema,
  HelloSchema,
} from "../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { Mastership } from "../../../src/master/mastership.ts";
import type { JobStore } from "../../../src/store/job-store.ts";
import { systemClock, systemRandom } from "../../../src/system-clock.ts";
import { silentLogger } from "../../silent-logger.ts";
import { resultOf } from "../../unit/core/job-fixture.ts";
import { until } from "../../until.ts";

const NOBODY: Network = {
  openStream: () => ({ send: () => {}, close: () => {} }),
  identify: async () => "silent",
};

export interface TestMaster {
  readonly api: Mastership;
  readonly store: JobStore;
  readonly node: TestNode;
  close(): Promise<void>;
}

/** `embedded`: alone, so that it need not wait for other nodes to say what they offer. */
export async function startMaster(store: JobStore, { embedded = false } = {}): Promise<TestMaster> {
  await store.migrate();
  const { api, end } = await startMastership(store, { embedded });
  const node = new TestNode(api, store);
  return {
    api,
    store,
    node,
    async close() {
      end.abort();
      await store.close();
    },
  };
}

/** The next epoch's master, in whose network nobody answers. `end` ends it. */
export async function startMastership(
  store: JobStore,
  { embedded = false, knownGone = new Set() }: { embedded?: boolean; knownGone?: ReadonlySet<string> } = {},
): Promise<{ readonly api: Mastership; readonly end: AbortController }> {
  const { epoch: before } = await store.readMastership();
  const epoch = before + 1;
  await store.advanceEpoch(before, { epoch, incarnation: `the master of epoch ${epoch}` });
  const end = new AbortController();
  const api = new Mastership(
    {
      epoch,
      store,
      settings: {
        lockTtlMs: 3000,
        leaseMs: 60_000,
        horizonMs: 300_000,
        maxJobsInMemory: 10_000,
        maxLost: 10,
        retention: KEEP_ALL,
        embedded,
      },
      clock: systemClock,
      random: systemRandom,
      time: new ClusterTime(systemClock, await store.readClock()),
      logger: silentLogger,
      ended: end.signal,
      epochWrittenAt: systemClock.monotonic(),
      knownGone,
      trusted: () => true,
      deposed: () => end.abort(),
    },
    NOBODY,
  );
  await api.start();
  return { api, end };
}

export class TestNode {
  readonly assignments: Assignment[] = [];
  readonly aborted: number[] = [];
  private readonly store: JobStore;
  private readonly handler: { message(message: GetJobRequest): void };
  private slots = 0;
  private number = 0;
  private sequence = 0;

  constructor(api: Mastership, store: JobStore, handlers = ["work"]) {
    this.store = store;
    this.handler = api.acceptNode({
      send: ({ message }) => {
        if (message.case === "welcome") this.number = message.value.nodeNumber;
        if (message.case === "assign") this.assignments.push(...assignmentsOf(message.value));
        if (message.case === "verdicts") this.aborted.push(...message.value.claims.map(({ jobId }) => jobId));
      },
      close: () => {},
    });
    const who = { incarnation: "a node", nodeId: "a", address: "127.0.0.1:1" };
    const value = create(HelloSchema, { ...who, slots: 10, memoryMb: 1000, handlers });
    this.send({ case: "hello", value });
  }

  /** Takes jobs until it is given this one (with this claim, or a newer one): others may be before it. */
  async take(jobId: number, fromClaim = 1): Promise<Assignment> {
    const mine = () =>
      this.assignments.findLast(({ jobId: id, claim }) => id === jobId && claim >= fromClaim);
    await until(`job ${jobId} is assigned`, () => {
      // One at a time, so that none is left over for a job that is not to run.
      if (mine() === undefined && this.slots <= this.assignments.length) this.offerSlot();
      return mine() !== undefined;
    });
    const assignment = mine();
    if (assignment === undefined) throw new Error("not assigned");
    return assignment;
  }

  offerSlot(): void {
    const value = create(CreditSchema, { slots: ++this.slots, freeMemoryMb: 1000 });
    this.send({ case: "credit", value });
  }

  /** Writes how a claim ended, as a node does, and tells the master. */
  async finish(assignment: Assignment, outcome: Outcome, retryAt: number | null = null): Promise<void> {
    const endTime = Math.trunc(systemClock.now());
    const { jobId, claim, revision, attempt, scheduledAt, nextScheduledAt, nextDueAt } = assignment;
    const row = resultOf({
      jobId,
      claim,
      outcome,
      attempt,
      scheduledAt,
      startTime: endTime,
      endTime,
      retryAt,
      node: this.number,
      placement: "test",
      error: outcome === OUTCOME.FAILED ? { name: "Error", message: "failed" } : null,
    });
    const [write] = await this.store.writeResults([row]);
    const next = nextScheduledAt === null ? null : { scheduledAt: nextScheduledAt, at: nextDueAt };
    const state = project({ ...assignment, endedAt: 0 }, row, next);
    const guard = { jobId, claim, revision, updateTime: endTime };
    const [projected] = write === "first" ? await this.store.projectJobs([{ ...guard, ...state }]) : [false];
    const claims = [{ jobId, claim, projected: projected ?? false, ...state }];
    this.send({ case: "done", value: doneMessage(++this.sequence, claims) });
  }

  private send(message: GetJobRequest["message"]): void {
    this.handler.message(create(GetJobRequestSchema, { message }));
  }
}
