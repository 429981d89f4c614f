/** The claims that a node holds, from when they come until they are forgotten, on virtual time. */
import { expect, test } from "vitest";
import type { Assignment } from "../../../src/coordination/assignment.ts";
import type { DoneClaim } from "../../../src/coordination/done-claim.ts";
import { ClusterTime } from "../../../src/core/cluster-time.ts";
import type { Execution, ExecutionEnd, Executors } from "../../../src/node/executors.ts";
import type { EndedClaim, ResultWriter } from "../../../src/node/result-writer.ts";
import { Runner } from "../../../src/node/runner.ts";
import { assignmentOf } from "../../fixtures/assignment-fixture.ts";
import { Gate, ProcessClock, VirtualTime } from "../../fixtures/virtual-clock.ts";

const SUCCEEDED: ExecutionEnd = { kind: "succeeded", output: null };

function rig(slots = 1) {
  const virtual = new VirtualTime();
  const clock = new ProcessClock({ time: virtual, gate: new Gate(), skewMs: 0, uptimeMs: 5000 });
  const time = new ClusterTime(clock, virtual.start);
  const begun: Execution[] = [];
  const aborts: { readonly jobId: number; readonly reason: string; readonly graceMs: number }[] = [];
  const ends = new Map<string, (end: ExecutionEnd) => void>();
  const results: EndedClaim[] = [];
  const freed: number[] = [];
  const done: DoneClaim[] = [];
  const executors: Executors = {
    handlers: [],
    hasRunJob: true,
    run(execution, ended) {
      const { jobId, claim } = execution;
      begun.push(execution);
      ends.set(`${jobId}/${claim}`, ended);
      return { abort: (reason, graceMs) => aborts.push({ jobId, reason, graceMs }) };
    },
    stop: async () => {},
  };
  const writer = { add: (ended: EndedClaim) => results.push(ended) } as unknown as ResultWriter;
  const state: { refusal: string | null } = { refusal: null };
  const runner = new Runner(
    { executors, writer, clock, slots, maxLost: 10 },
    {
      slotsFreed: (count) => freed.push(count),
      done: (claim) => done.push(claim),
      whyNotRun: () => state.refusal,
    },
  );
  return {
    virtual,
    runner,
    state,
    begun,
    aborts,
    results,
    freed,
    done,
    now: () => time.now(),
    start(assignment: Partial<Assignment> = {}, refusal: string | null = null): void {
      runner.start(assignmentOf(assignment), 7, time, refusal);
    },
    end(jobId: number, end: ExecutionEnd = SUCCEEDED): void {
      ends.get(`${jobId}/1`)?.(end);
    },
  };
}

test("a claim that is held already is not taken in again, whatever has become of it", () => {
  const { runner, start, end, begun, results } = rig(4);
  start({ jobId: 1 });
  start({ jobId: 1 });
  expect(begun).toHaveLength(1);
  expect(runner.usedSlots).toBe(1);
  end(1);
  start({ jobId: 1 });
  results[0]?.written(true, results[0].state);
  start({ jobId: 1 });
  expect(begun).toHaveLength(1);
  expect(results).toHaveLength(1);
  runner.acknowledged([{ jobId: 1, claim: 1 } as DoneClaim]);
  start({ jobId: 1 });
  expect(begun).toHaveLength(2);
});
