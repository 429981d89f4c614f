/** The claims that a node holds, from when they come until they are forgotten, on virtual time. */
import { expect, test } from "vitest";
import type { Assignment } from "../../../src/coordination/assignment.ts";
import type { DoneClaim } from "../../../src/coordination/done-claim.ts";
import { ClusterTime } from "../../../src/core/cluster-time.ts";
import { ElasticJobError } from "../../../src/core/errors.ts";
import { OUTCOME } from "../../../src/core/job.ts";
import { EndLog } from "../../../src/core/log/end-log.ts";
import type { LogChunk, LogLine } from "../../../src/core/log/log-line.ts";
import type { ClaimProgress, Progress } from "../../../src/core/log/progress.ts";
import { HeldState, Verdict } from "../../../src/gen/elasticjob/v1/node_service_pb.ts";
import type { Execution, ExecutionEnd, Executors, Listener } from "../../../src/node/executors.ts";
import { JobLogs } from "../../../src/node/log/job-logs.ts";
import type { EndedClaim, ResultWriter } from "../../../src/node/result-writer.ts";
import { Runner } from "../../../src/node/runner.ts";
import { Gate, ProcessClock, VirtualTime } from "../../../src/testing/virtual-clock.ts";
import { assignmentOf } from "../../fixtures/assignment-fixture.ts";
import { recordingLogger } from "../../fixtures/recording-logger.ts";

const SUCCEEDED: ExecutionEnd = { kind: "succeeded", output: null };

function rig(slots = 1) {
  const virtual = new VirtualTime();
  const clock = new ProcessClock({ time: virtual, gate: new Gate(), skewMs: 0, uptimeMs: 5000 });
  const time = new ClusterTime(clock, virtual.start);
  const begun: Execution[] = [];
  const aborts: { readonly jobId: number; readonly reason: string; readonly graceMs: number }[] = [];
  const ends = new Map<string, (end: ExecutionEnd) => void>();
  const listeners = new Map<string, Listener>();
  const chunks: LogChunk[] = [];
  const told: ClaimProgress[] = [];
  const logStore = { answers: true };
  const results: EndedClaim[] = [];
  const freed: number[] = [];
  const done: DoneClaim[] = [];
  const executors: Executors = {
    handlers: [],
    hasRunJob: true,
    schemas: [],
    run(execution, ended, listener) {
      const { jobId, claim } = execution;
      begun.push(execution);
      ends.set(`${jobId}/${claim}`, ended);
      if (listener !== undefined) listeners.set(`${jobId}/${claim}`, listener);
      return {
        abort: (reason, graceMs) => {
          aborts.push({ jobId, reason, graceMs });
          if (state.endsOnAbort) ended(SUCCEEDED);
        },
      };
    },
    stop: async () => {},
  };
  const writer = { add: (ended: EndedClaim) => results.push(ended) } as unknown as ResultWriter;
  const state: { refusal: string | null; endsOnAbort: boolean } = { refusal: null, endsOnAbort: false };
  const logger = recordingLogger();
  const writeLog = async (written: readonly LogChunk[]): Promise<void> => {
    if (!logStore.answers) throw new ElasticJobError("unavailable", "no answer");
    chunks.push(...written);
  };
  const logs = new JobLogs({ store: { writeLog }, clock, logger });
  const endLog = new EndLog({ logger, clock });
  const runner = new Runner(
    { executors, writer, logs, clock, slots, maxLost: 10, nodeId: "node-a", ends: endLog },
    {
      slotsFreed: (count) => freed.push(count),
      done: (claim) => done.push(claim),
      progressed: (progress) => told.push(progress),
      whyNotRun: () => state.refusal,
    },
  );
  return {
    virtual,
    time,
    runner,
    state,
    begun,
    aborts,
    results,
    chunks,
    told,
    progress(jobId: number, progress: Progress): void {
      listeners.get(`${jobId}/1`)?.progressed(progress);
    },
    logStore,
    freed,
    done,
    logged: logger.lines,
    now: () => time.now(),
    start(assignment: Partial<Assignment> = {}, refusal: string | null = null): void {
      runner.start(assignmentOf(assignment), { epoch: 3, nodeNumber: 7, time }, refusal);
    },
    judge(verdict: Verdict, ...jobIds: number[]): void {
      runner.judge(
        jobIds.map((jobId) => ({ $typeName: "elasticjob.v1.ClaimVerdict", jobId, claim: 1, verdict })),
      );
    },
    say(jobId: number, text: string, changes: Partial<LogLine> = {}): void {
      const line: LogLine = { at: virtual.now, level: "info", kind: "said", text, fields: null, ...changes };
      listeners.get(`${jobId}/1`)?.said(line);
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

test("claims run beside each other as far as slots go, the others in the order in which they came", () => {
  const { start, end, begun, runner } = rig(4);
  start({ jobId: 1, slots: 3 });
  start({ jobId: 2, slots: 2 });
  // There is a slot for it, and yet it does not go before the other.
  start({ jobId: 3, slots: 1 });
  expect(begun.map(({ jobId }) => jobId)).toEqual([1]);
  expect(runner.usedSlots).toBe(6);
  end(1);
  expect(begun.map(({ jobId }) => jobId)).toEqual([1, 2, 3]);
  start({ jobId: 4, slots: 1 });
  expect(begun.map(({ jobId }) => jobId)).toEqual([1, 2, 3, 4]);
  start({ jobId: 5, slots: 1 });
  start({ jobId: 6, slots: 1 });
  end(2);
  expect(begun.map(({ jobId }) => jobId)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(runner.usedSlots).toBe(4);
});

test("a claim of more slots than there are runs when nothing else does", () => {
  const { start, end, begun } = rig(4);
  start({ jobId: 1 });
  start({ jobId: 2, slots: 9 });
  start({ jobId: 3 });
  expect(begun.map(({ jobId }) => jobId)).toEqual([1]);
  end(1);
  expect(begun.map(({ jobId }) => jobId)).toEqual([1, 2]);
  end(2);
  expect(begun.map(({ jobId }) => jobId)).toEqual([1, 2, 3]);
});

test("what has waited for a slot begins when it is run, not when it came", async () => {
  const { virtual, start, end, results, now } = rig();
  start({ jobId: 1 });
  start({ jobId: 2 });
  await virtual.advance(400);
  const begins = now();
  end(1);
  end(2);
  expect(results.map(({ row }) => row.startTime)).toEqual([begins - 400, begins]);
});

test("an execution is told what its claim says", () => {
  const { start, begun, now } = rig(9);
  start({ jobId: 1, payload: "[1]", timeoutMs: 500, lost: 1 });
  start({ jobId: 2, payload: "", timeoutMs: 0, lost: 2 });
  start({ jobId: 3, timeoutMs: 1, lost: 3 });
  expect(begun).toMatchObject([
    { payload: "[1]", timeoutMs: 500, deadline: now() + 500, alone: false },
    { payload: null, timeoutMs: null, deadline: null, alone: true },
    { timeoutMs: 1, deadline: now() + 1, alone: true },
  ]);
});

test("a claim whose time has come just now begins at once, one of a millisecond later does not", async () => {
  const { virtual, start, begun, now } = rig(4);
  start({ jobId: 1, startAt: now() });
  start({ jobId: 2, startAt: now() + 1 });
  expect(begun.map(({ jobId }) => jobId)).toEqual([1]);
  await virtual.advance(1);
  expect(begun.map(({ jobId }) => jobId)).toEqual([1, 2]);
});

test("a claim whose timer comes early waits for the rest of its time", async () => {
  const { virtual, time, start, begun, now } = rig();
  const startAt = now() + 1000;
  start({ jobId: 1, startAt });
  // Cluster time is found to be ahead of the master's: it is slowed down.
  time.adjust(now() - 500, 5000, 5000);
  await virtual.advance(1000);
  expect(begun).toEqual([]);
  await virtual.advance(112);
  expect(now()).toBe(startAt);
  expect(begun).toHaveLength(1);
});

test("claims that have waited too long for a slot go back, from when their time came, not before", async () => {
  const { virtual, start, results, runner, now } = rig();
  runner.returnStranded(1000);
  start({ jobId: 1 });
  start({ jobId: 2, startAt: now() + 300 });
  await virtual.advance(1299);
  runner.returnStranded(1000);
  expect(results).toEqual([]);
  await virtual.advance(1);
  runner.returnStranded(1000);
  expect(results.map(({ row }) => [row.jobId, row.reason])).toEqual([
    [2, "handed back: it waited too long for a slot"],
  ]);
});

test("no more are let wait once one has waited in vain: what runs is slow, though none has ended that would say so", async () => {
  const { virtual, start, end, runner } = rig(1);
  for (let jobId = 1; jobId <= 200; jobId++) {
    start({ jobId });
    end(jobId);
  }
  expect(runner.queuedSlots).toBeGreaterThan(0);
  start({ jobId: 300 });
  start({ jobId: 301 });
  await virtual.advance(1000);
  runner.returnStranded(1000);
  expect(runner.queuedSlots).toBe(0);
});

test("the master's word aborts what runs, and forgets what is written: nothing else", () => {
  const { start, end, judge, aborts, results, runner } = rig(9);
  for (const jobId of [1, 2, 3]) start({ jobId });
  end(2);
  end(3);
  results[1]?.written(true, results[1].state);
  for (const verdict of [Verdict.KEEP, Verdict.FORGET]) judge(verdict, 1, 2);
  judge(Verdict.KEEP, 3);
  judge(Verdict.ABORT, 2, 3, 99);
  expect(runner.claims().map(({ jobId, state }) => [jobId, state])).toEqual([
    [1, HeldState.RUNNING],
    [2, HeldState.FINISHED],
    [3, HeldState.WRITTEN],
  ]);
  expect(aborts).toEqual([]);
  expect(results).toHaveLength(2);
  judge(Verdict.ABORT, 1);
  judge(Verdict.FORGET, 3);
  expect(aborts).toEqual([{ jobId: 1, reason: "the master has ended this claim", graceMs: 500 }]);
  expect(runner.claims().map(({ jobId }) => jobId)).toEqual([1, 2]);
});

test("what is given up ends as LOST: at once if it has not begun, else when its handler has ended", () => {
  const { start, end, judge, aborts, results, begun, now } = rig(1);
  start({ jobId: 1 });
  start({ jobId: 2 });
  start({ jobId: 3 });
  start({ jobId: 4, startAt: now() + 10 });
  judge(Verdict.ABORT, 2, 4);
  expect(results.map(({ row }) => row.jobId)).toEqual([2, 4]);
  judge(Verdict.ABORT, 1);
  expect(results).toHaveLength(2);
  end(1);
  expect(aborts.map(({ jobId }) => jobId)).toEqual([1]);
  expect(results.map(({ row }) => row)).toMatchObject([
    { jobId: 2, outcome: OUTCOME.LOST, retryAt: now() },
    { jobId: 4, outcome: OUTCOME.LOST, retryAt: now() + 10 },
    { jobId: 1, outcome: OUTCOME.LOST, reason: "handed back: the master has ended this claim" },
  ]);
  expect(begun.map(({ jobId }) => jobId)).toEqual([1, 3]);
});

test("all that runs is handed back once, what has ended is not", () => {
  const { start, end, aborts, results, runner } = rig(2);
  for (const jobId of [1, 2, 3]) start({ jobId });
  end(1);
  start({ jobId: 4 });
  runner.handBack("its node lost touch with the master");
  runner.handBack("again");
  expect(aborts).toEqual([
    { jobId: 2, reason: "its node lost touch with the master", graceMs: 500 },
    { jobId: 3, reason: "its node lost touch with the master", graceMs: 500 },
  ]);
  expect(results.map(({ row }) => [row.jobId, row.outcome])).toEqual([
    [1, OUTCOME.SUCCEEDED],
    [4, OUTCOME.LOST],
  ]);
});

test("of what is handed back nothing begins in the place of what is aborted", () => {
  const { runner, state, start, begun, results } = rig();
  state.endsOnAbort = true;
  start({ jobId: 1 });
  start({ jobId: 2 });
  runner.handBack("lost touch");
  expect(begun.map(({ jobId }) => jobId)).toEqual([1]);
  expect(results.map(({ row }) => [row.jobId, row.reason])).toEqual([
    [2, "handed back: lost touch"],
    [1, expect.anything()],
  ]);
});

test("more jobs than there are slots are asked for only once jobs have shown to be quick", async () => {
  const { runner, virtual, start, end } = rig(4);
  const run = async (jobId: number, ms: number) => {
    start({ jobId });
    await virtual.advance(ms);
    end(jobId);
  };
  for (let jobId = 1; jobId <= 44; jobId++) await run(jobId, 0);
  expect(runner.queuedSlots).toBe(0);
  for (let jobId = 45; jobId <= 60; jobId++) await run(jobId, 0);
  expect(runner.queuedSlots).toBeGreaterThan(0);
  await run(61, 5_000);
  expect(runner.queuedSlots).toBe(0);
});

test("a claim that has ended is not given up: a result that the database refuses is FAILED still", () => {
  const { start, end, judge, results, runner } = rig();
  start({ jobId: 1 });
  end(1);
  judge(Verdict.ABORT, 1);
  runner.handBack("its node lost touch with the master");
  const refused = results[0]?.asFailed?.({ name: "ResultRefused", message: "too long" });
  expect(refused?.row).toMatchObject({ outcome: OUTCOME.FAILED, reason: "" });
});

test("a claim that is refused is handed back unrun", () => {
  const { start, begun, results, freed } = rig();
  start({ jobId: 1, slots: 3 }, "its node is draining");
  expect(begun).toEqual([]);
  expect(results[0]?.row).toMatchObject({
    outcome: OUTCOME.LOST,
    reason: "handed back: its node is draining",
  });
  expect(freed).toEqual([3]);
});

test("a runner is idle when nothing runs, and has forgotten when the master has acknowledged all", async () => {
  const { start, end, results, runner, done } = rig(2);
  const events: string[] = [];
  const note = (name: string) => () => void events.push(name);
  await Promise.all([runner.whenIdle(), runner.whenForgotten()]);
  start({ jobId: 1 });
  start({ jobId: 2 });
  void runner.whenIdle().then(note("idle"));
  void runner.whenForgotten().then(note("forgotten"));
  await settled();
  end(1);
  await settled();
  expect(events).toEqual([]);
  end(2);
  await settled();
  expect(events).toEqual(["idle"]);
  for (const ended of results) ended.written(true, ended.state);
  expect(done.map(({ jobId, claim, projected }) => [jobId, claim, projected])).toEqual([
    [1, 1, true],
    [2, 1, true],
  ]);
  runner.acknowledged(done.slice(0, 1));
  await settled();
  expect(events).toEqual(["idle"]);
  runner.acknowledged(done.slice(1));
  await settled();
  expect(events).toEqual(["idle", "forgotten"]);
});

test("a result never ends before it began", async () => {
  const { virtual, start, end, results, now } = rig();
  start({ jobId: 1 });
  const startTime = now();
  await virtual.advance(30);
  end(1);
  expect(results[0]?.row).toMatchObject({ startTime, endTime: startTime + 30 });
});

test("an end that is no success is one line, said when its row counts", () => {
  const { start, end, results, logged, now } = rig(9);
  const failed = {
    kind: "failed",
    error: { name: "Error", message: "no coffee" },
    isPermanent: false,
  } as const;
  start({ jobId: 1, name: "brew", handler: "coffee", attempt: 2, failures: 1, retryDelayMs: 2000 });
  start({ jobId: 2, name: "brew", handler: "coffee", attempt: 4, failures: 2, retryDelayMs: null });
  start({ jobId: 3, handler: "tea", retryDelayMs: 2000 });
  start({ jobId: 4 });
  end(1, failed);
  end(2, failed);
  end(3, { kind: "timed_out" });
  end(4);
  expect(logged).toEqual([]);
  // The rest lost to another row: they have not ended anything.
  for (const ended of results.slice(0, 2)) ended.becameFinal(ended);
  for (const ended of results.slice(3)) ended.becameFinal(ended);
  const same = { name: "brew", handler: "coffee", claim: 1, node: "node-a", epoch: 3, outcome: "FAILED" };
  expect(logged).toEqual([
    {
      level: "warn",
      message: "an attempt has ended without success; it is tried again",
      fields: {
        ...same,
        jobId: 1,
        attempt: 2,
        error: "Error: no coffee",
        retryAt: new Date(now() + 2000).toISOString(),
      },
    },
    {
      level: "error",
      message: "an occurrence has ended without success",
      fields: { ...same, jobId: 2, attempt: 4, error: "Error: no coffee", notTriedAgain: "3 of 3 attempts" },
    },
  ]);
});

test("a result that the database refuses is a line of what it became", () => {
  const { start, end, results, logged } = rig();
  start({ jobId: 1, retryDelayMs: 2000 });
  end(1);
  const [ended] = results;
  const refused = ended?.asFailed?.({ name: "ResultRefused", message: "too long" });
  if (refused !== undefined) ended?.becameFinal(refused);
  expect(logged).toMatchObject([
    {
      level: "error",
      fields: { jobId: 1, error: "ResultRefused: too long", notTriedAgain: "its error is permanent" },
    },
  ]);
});

test("what a job says is a line of the node's log, with its claim and attempt, at its level", () => {
  const { start, say, logged } = rig();
  start({ jobId: 1, claim: 1, attempt: 3, handler: "copy" });
  say(1, "no space", { level: "error", fields: '{"free":0}' });
  say(1, "printed", { kind: "printed" });
  expect(logged).toEqual([
    {
      level: "error",
      message: "a job says",
      fields: { jobId: 1, claim: 1, attempt: 3, handler: "copy", text: "no space", fields: { free: 0 } },
    },
  ]);
});

test("what a job says is written once a second while it runs, numbered, and before its result", async () => {
  const { virtual, start, say, end, chunks, results } = rig();
  start({ jobId: 1 });
  say(1, "one");
  say(1, "two");
  await virtual.advance(900);
  expect(chunks).toEqual([]);
  await virtual.advance(200);
  expect(chunks).toMatchObject([{ jobId: 1, claim: 1, first: 1, lines: [{ text: "one" }, { text: "two" }] }]);
  await virtual.advance(60_000);
  say(1, "three");
  end(1);
  expect(results).toEqual([]);
  await virtual.advance(1);
  expect(chunks[1]).toMatchObject({ first: 3, lines: [{ text: "three" }] });
  expect(results).toHaveLength(1);
  await virtual.advance(5_000);
  expect(chunks).toHaveLength(2);
});

test("a job that says nothing has its result at once, and nothing else is written", async () => {
  const { virtual, start, end, chunks, results } = rig();
  start({ jobId: 1 });
  end(1);
  expect(results).toHaveLength(1);
  await virtual.advance(5_000);
  expect(chunks).toEqual([]);
});

test("a log that the database does not take holds its result up for two seconds, and is written later", async () => {
  const { virtual, runner, start, say, end, chunks, results, freed, logStore } = rig();
  logStore.answers = false;
  start({ jobId: 1 });
  say(1, "one");
  const idle = { is: false };
  void runner.whenIdle().then(() => {
    idle.is = true;
  });
  end(1);
  expect(freed).toEqual([1]);
  await virtual.advance(1_900);
  expect([results.length, idle.is]).toEqual([0, false]);
  await virtual.advance(200);
  expect([results.length, idle.is]).toEqual([1, true]);
  logStore.answers = true;
  await virtual.advance(2_000);
  expect(chunks).toMatchObject([{ first: 1, lines: [{ text: "one" }] }]);
});

test("lines that a database does not take for long are left out beyond 16 MiB, and a mark says how many", async () => {
  const { virtual, start, say, end, chunks, logStore } = rig();
  logStore.answers = false;
  start({ jobId: 1 });
  for (let line = 0; line < 3_000; line++) say(1, "x".repeat(8_000));
  await virtual.advance(1_500);
  logStore.answers = true;
  await virtual.advance(5_000);
  say(1, "back");
  end(1);
  await virtual.advance(5_000);
  const lines = chunks.flatMap((chunk) => chunk.lines);
  expect(lines.length).toBeLessThan(2_200);
  expect(lines.slice(-2)).toMatchObject([
    { kind: "mark", text: expect.stringMatching(/^9\d\d lines are missing here: the database/) },
    { text: "back" },
  ]);
});

test("how far a handler is, is told at once, and again to a master that does not know it, while it runs", () => {
  const { start, progress, runner, end, told } = rig(2);
  start({ jobId: 1 });
  start({ jobId: 2 });
  progress(1, { fraction: 0.1, text: "one", at: 5 });
  progress(1, { fraction: 0.2, text: "two", at: 6 });
  const latest = { jobId: 1, claim: 1, fraction: 0.2, text: "two", at: 6 };
  expect([told.length, told[1]]).toEqual([2, latest]);
  expect(runner.allProgress()).toEqual([latest]);
  end(1);
  expect(runner.allProgress()).toEqual([]);
});

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
