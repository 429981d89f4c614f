/** A node and the masters that it talks to, on virtual time. */
import { create } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { assignMessage } from "../../../src/coordination/assignment.ts";
import type { MasterAddress } from "../../../src/coordination/cluster-lock.ts";
import type { Network } from "../../../src/coordination/network.ts";
import { standingMessage } from "../../../src/coordination/standing.ts";
import {
  DoneAckSchema,
  DrainSchema,
  type GetJobRequest,
  type GetJobResponse,
  GetJobResponseSchema,
  PongSchema,
  RefusalSchema,
  UndrainSchema,
  WelcomeSchema,
} from "../../../src/gen/elasticjob/v1/node_service_pb.ts";
import type { Execution, ExecutionEnd } from "../../../src/node/executors.ts";
import { Puller } from "../../../src/node/puller.ts";
import type { EndedClaim, ResultWriter } from "../../../src/node/result-writer.ts";
import { Gate, ProcessClock, VirtualTime } from "../../../src/testing/virtual-clock.ts";
import { assignmentOf } from "../../fixtures/assignment-fixture.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";

const LEASE_MS = 6000;

/** The master's end of a stream that the node has opened. */
interface Stream {
  readonly to: string;
  readonly sent: GetJobRequest["message"][];
  isClosed: boolean;
  say(message: GetJobResponse["message"]): void;
  /** As `say`, whether or not it is closed. */
  sayLate(message: GetJobResponse["message"]): void;
  end(): void;
}

function rig(slots = 4, isAway = false) {
  const time = new VirtualTime();
  const clock = new ProcessClock({ time, gate: new Gate(), skewMs: 0, uptimeMs: 5000 });
  const streams: Stream[] = [];
  const network: Network = {
    openStream(address, on) {
      const stream: Stream = {
        to: address,
        sent: [],
        isClosed: false,
        say: (message) => {
          if (!stream.isClosed) stream.sayLate(message);
        },
        sayLate: (message) => on.message(create(GetJobResponseSchema, { message })),
        end: () => {
          if (stream.isClosed) return;
          stream.isClosed = true;
          on.closed("ended");
        },
      };
      streams.push(stream);
      return { send: ({ message }) => stream.sent.push(message), close: stream.end };
    },
    identify: async () => "silent",
  };
  let master: MasterAddress | null = null;
  let changed = new AbortController();
  const lost: MasterAddress[] = [];
  const refusals: string[] = [];
  /** When this process entered itself in its database, or tried to. */
  const entries: number[] = [];
  const database = { isAway };
  const begun: Execution[] = [];
  const ends: ((end: ExecutionEnd) => void)[] = [];
  const aborted: string[] = [];
  const logged: string[] = [];
  const failures: string[] = [];
  const warnings: string[] = [];
  const results: EndedClaim[] = [];
  /** How long the writer was given at most when it was stopped. */
  const written: number[] = [];
  const puller = new Puller({
    settings: {
      incarnation: "me",
      nodeId: "n1",
      address: () => "n1:7070",
      slots,
      labels: {},
      leaseMs: LEASE_MS,
      maxLost: 10,
      drainGraceMs: 3000,
      zoneData: "2026c",
    },
    masters: {
      current: () => master,
      changed: (signal) =>
        new Promise((resolve) => {
          const either = AbortSignal.any([changed.signal, signal]);
          if (either.aborted) resolve();
          else either.addEventListener("abort", () => resolve(), { once: true });
        }),
      lost: (gone) => lost.push(gone),
      refused: (by, reason) => refusals.push(`${by.nodeId}: ${reason}`),
    },
    enter: async () => {
      entries.push(time.now);
      if (database.isAway) throw new Error("no answer");
      return "cluster-1";
    },
    network,
    executors: {
      handlers: ["work"],
      hasRunJob: false,
      run(execution, ended) {
        begun.push(execution);
        ends.push(ended);
        return { abort: (reason) => aborted.push(reason) };
      },
      stop: async () => {},
    },
    resources: {
      memoryMb: 1000,
      measure: () => ({ cpu: 0, eventLoopDelayMs: 0, freeMemoryMb: 1000 }),
      stop: () => {},
    },
    writer: {
      backlog: 0,
      add: (ended: EndedClaim) => results.push(ended),
      stop: async (ms: number) => void written.push(ms),
    } as unknown as ResultWriter,
    clock,
    logger: {
      ...silentLogger,
      debug: (_, message) => logged.push(message),
      warn: (_, message) => warnings.push(message),
      error: (_, message) => failures.push(message),
    },
  });
  running.push({ puller, time });
  puller.start();
  return {
    time,
    clock,
    puller,
    streams,
    lost,
    refusals,
    entries,
    database,
    begun,
    ends,
    aborted,
    logged,
    failures,
    warnings,
    results,
    written,
    last: (): Stream => streams.at(-1) ?? expect.fail("no stream was opened"),
    /** Who is master now, as the node hears it; null: it is not known. */
    async elect(nodeId: string | null, epoch: number, incarnation = `of ${nodeId}`): Promise<void> {
      master =
        nodeId === null ? null : { address: `${nodeId}:7070`, nodeId, incarnation, epoch, cluster: "c" };
      const before = changed;
      changed = new AbortController();
      before.abort();
      // As long as the rest between two streams.
      await time.advance(50);
    },
    /** Answers each ping as it comes, with the cluster's time, until `ms` have passed. */
    async answerPings(ms: number, clusterTime = (atMs: number) => 1_000_000 + atMs): Promise<void> {
      const end = time.now + ms;
      for (let answered = 0; time.now < end; await time.advance(10)) {
        const stream = streams.at(-1);
        const pings = stream?.sent.filter((message) => message.case === "ping") ?? [];
        for (const { value } of pings.slice(answered)) {
          const { sentAtMs } = value;
          stream?.say({
            case: "pong",
            value: create(PongSchema, { sentAtMs, clusterTimeMs: clusterTime(sentAtMs) }),
          });
        }
        answered = pings.length;
      }
    },
  };
}

function sentOn({ sent }: Stream, name: GetJobRequest["message"]["case"]): number {
  return sent.filter((message) => message.case === name).length;
}

const running: { readonly puller: Puller; readonly time: VirtualTime }[] = [];
afterEach(async () => {
  for (const { puller, time } of running.splice(0)) {
    const stopped = puller.stop();
    await time.advance(1);
    await stopped;
  }
});

function welcome(epoch: number): GetJobResponse["message"] {
  const value = create(WelcomeSchema, { epoch, nodeNumber: 3, clusterTimeMs: 1_000_000, leaseMs: LEASE_MS });
  return { case: "welcome", value };
}

function assign(jobId: number): GetJobResponse["message"] {
  return { case: "assign", value: assignMessage([assignmentOf({ jobId })]) };
}

test("a master of a lower epoch than the node has seen is refused, one of the same or a higher is not", async () => {
  const { time, elect, last, begun } = rig();
  await elect("a", 5);
  last().say(welcome(5));
  await elect("b", 4);
  const deposed = last();
  expect(deposed.to).toBe("b:7070");
  deposed.say(welcome(4));
  expect(deposed.isClosed).toBe(true);
  deposed.say(assign(1));
  await time.advance(1);
  expect(begun).toEqual([]);
  expect(deposed.sent.map((message) => message.case)).not.toContain("credit");
  for (const epoch of [5, 6]) {
    await elect("c", epoch);
    last().say(welcome(epoch));
    await time.advance(1);
    expect(last().isClosed).toBe(false);
    expect(last().sent.map((message) => message.case)).toContain("credit");
  }
});

test("a node tries the next master when its stream has ended, and says which one was lost", async () => {
  const { time, elect, last, lost, logged, streams } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().end();
  expect(logged).toEqual(["stream to the master ended"]);
  await time.advance(49);
  expect(streams).toHaveLength(1);
  expect(lost.map(({ nodeId }) => nodeId)).toEqual(["a"]);
  await time.advance(1);
  expect(streams.map(({ to }) => to)).toEqual(["a:7070", "a:7070"]);
});

test("a node knows how long it has not heard of its master, whatever that said, and what that waits for", async () => {
  const { time, puller, elect, last } = rig();
  await elect("a", 1);
  const master = { address: "a:7070", nodeId: "a", incarnation: "of a", epoch: 1, cluster: "c" };
  const { message } = standingMessage({ who: "MySQL", how: "silent", ms: 2_000 });
  last().say(message);
  await time.advance(700);
  expect(puller.heard.of(master)).toEqual({
    heardMsAgo: 700,
    told: { who: "MySQL", how: "silent", ms: 2_700 },
  });
  // It could not welcome anybody without its database.
  last().say(welcome(1));
  expect(puller.heard.of(master)).toEqual({ heardMsAgo: 0, told: null });
  last().say(message);
  last().say(standingMessage(null).message);
  expect(puller.heard.of(master).told).toBeNull();
  await time.advance(300);
  last().end();
  await time.advance(100);
  expect(puller.heard.of(master).heardMsAgo).toBe(400);
  await elect("b", 2);
  expect(puller.heard.of(master).heardMsAgo).toBeNull();
});

test("a node leaves a stream whose master is another by now, and that alone", async () => {
  const { elect, last, logged, streams } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  await elect("a", 1);
  await elect(null, 0);
  expect(streams).toHaveLength(1);
  expect(last().isClosed).toBe(false);
  await elect("a", 2);
  expect(streams.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  await elect("a", 2, "a new process");
  expect(streams.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
  // It has ended none of them for a reason to look into.
  expect(logged).toEqual([]);
});

test("a node that stops closes its stream, and takes no master for lost by it", async () => {
  const { time, elect, last, lost, puller } = rig();
  await elect("a", 1);
  const stopped = puller.stop();
  // At once: what its master sends from here on has nobody to run it.
  expect(last().isClosed).toBe(true);
  await time.advance(1);
  await stopped;
  expect(lost).toEqual([]);
});

test("a node that stops says how many ends it has counted and not told of yet", async () => {
  const { time, elect, last, ends, results, failures, puller } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  for (const jobId of [1, 2]) last().say(assign(jobId));
  for (const end of ends) {
    end({ kind: "failed", error: { name: "Error", message: "no" }, isPermanent: true });
  }
  for (const result of results) result.becameFinal(result);
  expect(failures).toEqual(["an occurrence has ended without success"]);
  const stopped = puller.stop();
  await time.advance(1);
  await stopped;
  expect(failures[1]).toBe("an occurrence has ended without success: more of the same");
});

test("nothing is said on a stream that has ended", async () => {
  const { time, elect, last } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  await time.advance(LEASE_MS / 5 - 1 - time.now);
  const said = last().sent.length;
  last().end();
  await time.advance(1);
  expect(last().sent).toHaveLength(said);
});

test("nothing is heard any more on a stream that has ended", async () => {
  const { elect, last, begun } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().end();
  last().sayLate(assign(1));
  expect(begun).toEqual([]);
});

test("a hello that is not answered goes to the next master after five seconds", async () => {
  const { time, elect, last, streams } = rig();
  await elect("a", 1);
  await time.advance(4949);
  expect(last().isClosed).toBe(false);
  await time.advance(1);
  expect(last().isClosed).toBe(true);
  await time.advance(50);
  expect(streams).toHaveLength(2);
  last().say(welcome(1));
  await time.advance(5100);
  expect(streams).toHaveLength(2);
});

test("a node pings five times a lease, and runs as long as it is answered", async () => {
  const { elect, last, answerPings, begun, aborted } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  expect(begun).toHaveLength(1);
  await answerPings(3 * LEASE_MS);
  // One with the hello.
  expect(sentOn(last(), "ping")).toBe(1 + 15);
  expect(aborted).toEqual([]);
});

test("a node without word from its master hands back what runs, within its lease from its last answered ping", async () => {
  const { time, elect, last, answerPings, aborted, lost } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  await answerPings(1300);
  // The ping of 1200 ms was the last that was answered.
  await time.advance(LEASE_MS + 1200 - time.now - 1);
  expect(aborted).toEqual([]);
  expect(last().isClosed).toBe(false);
  await time.advance(1);
  expect(aborted).toEqual(["its node lost touch with the master"]);
  expect(last().isClosed).toBe(true);
  expect(lost).toHaveLength(1);
});

test("a lease counts from when the node asked, however late it is answered (G7)", async () => {
  const { time, clock, elect, last, aborted } = rig();
  await elect("a", 1);
  // As long as `elect` lets pass.
  const openedAt = time.now - 50;
  await time.advance(2000);
  last().say(welcome(1));
  last().say(assign(1));
  await time.advance(openedAt + LEASE_MS - time.now - 1);
  expect(aborted).toEqual([]);
  await time.advance(1);
  expect(aborted).toHaveLength(1);

  await elect("b", 2);
  last().say(welcome(2));
  last().say(assign(2));
  await time.advance(2400);
  const ping = last().sent.findLast((message) => message.case === "ping");
  if (ping?.case !== "ping") expect.fail("no ping was sent");
  const { sentAtMs } = ping.value;
  await time.advance(1000);
  last().say({ case: "pong", value: create(PongSchema, { sentAtMs, clusterTimeMs: 1_000_000 }) });
  await time.advance(sentAtMs + LEASE_MS - clock.monotonic() - 1);
  expect(aborted).toHaveLength(1);
  await time.advance(1);
  expect(aborted).toHaveLength(2);
});

test("a node that comes back lists every claim that it holds", async () => {
  const { time, elect, last } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  last().say(assign(2));
  last().end();
  await time.advance(60);
  const [hello] = last().sent;
  if (hello?.case !== "hello") expect.fail("no hello was said");
  expect(hello.value.claims.map(({ jobId }) => jobId)).toEqual([1, 2]);
});

test("what a hello lists as written is not told once more", async () => {
  const { time, elect, last, ends, results } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  last().end();
  ends[0]?.({ kind: "succeeded", output: null });
  results[0]?.written(true, results[0].state);
  await time.advance(60);
  const [hello] = last().sent;
  if (hello?.case !== "hello") expect.fail("no hello was said");
  expect(hello.value.claims.map(({ jobId }) => jobId)).toEqual([1]);
  last().say(welcome(1));
  await time.advance(1);
  expect(sentOn(last(), "done")).toBe(0);
});

test("a node tells its load every second, though nothing happens", async () => {
  const { elect, last, answerPings } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  await answerPings(3000);
  // One with the welcome.
  expect(sentOn(last(), "credit")).toBe(1 + 3);
});

test("a claim that comes after the lease has lapsed is handed back unrun", async () => {
  const { time, elect, last, begun, results } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  await time.advance(LEASE_MS - 51);
  last().say(assign(1));
  expect(begun).toHaveLength(1);
  await time.advance(60);
  await elect("b", 2);
  // Not welcomed yet.
  last().say(assign(2));
  expect(begun).toHaveLength(1);
  expect(results.map(({ row }) => row)).toMatchObject([
    { jobId: 2, reason: "handed back: its node lost touch with the master" },
  ]);
});

test("a node offers the slots that it has, and each that is freed", async () => {
  const { time, elect, last, ends } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  await time.advance(1);
  ends[0]?.({ kind: "failed", error: { name: "Error", message: "no" }, isPermanent: true });
  await time.advance(1);
  const credits = last().sent.flatMap((message) => (message.case === "credit" ? [message.value.slots] : []));
  expect(credits).toEqual([4, 5]);
  await elect("b", 2);
  ends[0] = () => {};
  last().say(welcome(2));
  await time.advance(1);
  expect(last().sent.find((message) => message.case === "credit")).toMatchObject({ value: { slots: 4 } });
});

test("a new stream offers only the slots that are free, and those of what runs as it ends", async () => {
  const { time, elect, last, ends } = rig();
  const credits = () =>
    last().sent.flatMap((message) => (message.case === "credit" ? [message.value.slots] : []));
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  await elect("b", 2);
  last().say(welcome(2));
  await time.advance(1);
  expect(credits()).toEqual([3]);
  ends[0]?.({ kind: "failed", error: { name: "Error", message: "no" }, isPermanent: true });
  await time.advance(1);
  expect(credits()).toEqual([3, 4]);
});

test("a claim that waits a second for a slot is handed back", async () => {
  const { time, elect, last, results } = rig(1);
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  last().say(assign(2));
  await time.advance(1000 - time.now);
  expect(results).toEqual([]);
  await time.advance(1000);
  expect(results.map(({ row }) => [row.jobId, row.reason])).toEqual([
    [2, "handed back: it waited too long for a slot"],
  ]);
});

test("a node keeps the master's time, and follows it when it is off", async () => {
  const { time, clock, elect, last, answerPings, begun } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  const startTimes: (number | null)[] = [];
  const timed = (jobId: number) => {
    last().say({ case: "assign", value: assignMessage([assignmentOf({ jobId, timeoutMs: 10 })]) });
    startTimes.push((begun.at(-1)?.deadline ?? 0) - 10);
  };
  timed(1);
  const offset = 1_000_000 - clock.monotonic();
  await answerPings(5000, (atMs) => offset + atMs + 100);
  timed(2);
  // Another master's welcome does not set it back.
  await elect("b", 2);
  last().say(welcome(2));
  timed(3);
  expect(startTimes).toEqual([1_000_000, 1_005_100, 1_005_150]);
  expect(time.now).toBe(5100);
});

test("a node that is drained takes no more, lets what runs end, then hands it back", async () => {
  const { time, elect, last, begun, results, aborted, answerPings } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  for (let count = 0; count < 2; count++) last().say({ case: "drain", value: create(DrainSchema) });
  last().say(assign(2));
  expect(begun).toHaveLength(1);
  expect(results.map(({ row }) => [row.jobId, row.reason])).toEqual([
    [2, "handed back: its node is draining"],
  ]);
  await answerPings(2999 - 9);
  await time.advance(9);
  expect(aborted).toEqual([]);
  await time.advance(1);
  expect(aborted).toEqual(["its node is draining"]);
});

test("a node that is drained hands back at once what has not begun", async () => {
  const { time, elect, last, results } = rig(1);
  await elect("a", 1);
  last().say(welcome(1));
  for (const jobId of [1, 2]) last().say(assign(jobId));
  expect(results).toEqual([]);
  last().say({ case: "drain", value: create(DrainSchema) });
  await time.advance(1);
  expect(results.map(({ row }) => [row.jobId, row.reason])).toEqual([
    [2, "handed back: its node is draining"],
  ]);
});

test("a node that leaves waits for what runs, for its results, and a second for the master to hear of them", async () => {
  const { time, elect, last, ends, results, written, aborted, puller, warnings } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  let isGone = false;
  void puller.leave().then(() => {
    isGone = true;
  });
  await time.advance(1000);
  ends[0]?.({ kind: "succeeded", output: null });
  await time.advance(1);
  expect(written).toEqual([3000]);
  results[0]?.written(true, results[0].state);
  await time.advance(998);
  expect(isGone).toBe(false);
  await time.advance(1);
  expect(isGone).toBe(true);
  expect([aborted, warnings]).toEqual([[], []]);
});

test("a node that leaves hands back what does not end, and goes when the master has heard all", async () => {
  const { time, elect, last, ends, results, aborted, puller, answerPings } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  let isGone = false;
  void puller.leave().then(() => {
    isGone = true;
  });
  await answerPings(3000);
  expect(aborted).toEqual(["its node is draining"]);
  await answerPings(2990);
  expect(isGone).toBe(false);
  ends[0]?.({ kind: "succeeded", output: null });
  await time.advance(1);
  results[0]?.written(true, results[0].state);
  await time.advance(1);
  last().say({ case: "doneAck", value: create(DoneAckSchema, { sequence: 1 }) });
  await time.advance(1);
  expect(isGone).toBe(true);
});

test("a node that leaves gives up a handler that ends on no abort, after the same time again", async () => {
  const { time, elect, last, written, puller, answerPings } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  void puller.leave();
  await answerPings(5990);
  await time.advance(9);
  expect(written).toEqual([]);
  await time.advance(1);
  expect(written).toEqual([3000]);
});

test("a node joins nobody before it has entered itself in its database", async () => {
  const { time, elect, streams, entries, database } = rig(4, true);
  await elect("a", 1);
  expect(streams).toEqual([]);
  const tries = entries.length;
  await time.advance(500);
  expect(entries.length).toBeGreaterThan(tries);
  database.isAway = false;
  await time.advance(500);
  expect(streams.map(({ to }) => to)).toEqual(["a:7070"]);
  const [hello] = streams[0]?.sent ?? [];
  expect(hello).toMatchObject({ case: "hello", value: { clusterIdentity: "cluster-1" } });
});

test("a node that a master refuses says so, closes the stream, and enters itself anew before the next", async () => {
  const { elect, last, refusals, entries } = rig();
  await elect("a", 1);
  const before = entries.length;
  const refused = last();
  refused.say({ case: "refusal", value: create(RefusalSchema, { reason: "another database" }) });
  expect([refusals, refused.isClosed]).toEqual([
    ["a: the master at a:7070 refuses this node: another database"],
    true,
  ]);
  await elect("b", 2);
  expect(entries.length).toBeGreaterThan(before);
});

test("a node that is undrained takes jobs again, but for one that leaves", async () => {
  const { time, elect, last, begun, aborted, puller } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say({ case: "drain", value: create(DrainSchema) });
  last().say({ case: "undrain", value: create(UndrainSchema) });
  last().say(assign(1));
  expect(begun).toHaveLength(1);
  void puller.leave();
  await time.advance(1);
  last().say({ case: "undrain", value: create(UndrainSchema) });
  last().say(assign(2));
  expect([begun.length, aborted]).toEqual([1, []]);
});

test("a node that is undrained lets what ran before go on, and drains for as long when it is drained again", async () => {
  const { elect, last, aborted, answerPings } = rig();
  await elect("a", 1);
  last().say(welcome(1));
  last().say(assign(1));
  for (let count = 0; count < 2; count++) last().say({ case: "drain", value: create(DrainSchema) });
  await answerPings(1000);
  last().say({ case: "undrain", value: create(UndrainSchema) });
  await answerPings(3000);
  expect(aborted).toEqual([]);
  last().say({ case: "drain", value: create(DrainSchema) });
  await answerPings(2990);
  expect(aborted).toEqual([]);
  await answerPings(10);
  expect(aborted).toEqual(["its node is draining"]);
});

test("a node tells its master at once when it drains, and when it takes jobs again, and else does not", async () => {
  const { time, elect, last } = rig();
  const told = () =>
    last().sent.flatMap((message) => (message.case === "credit" ? [message.value.draining] : []));
  await elect("a", 1);
  last().say(welcome(1));
  await time.advance(0);
  last().say({ case: "undrain", value: create(UndrainSchema) });
  await time.advance(0);
  expect(told()).toEqual([false]);
  last().say({ case: "drain", value: create(DrainSchema) });
  await time.advance(0);
  expect(told()).toEqual([false, true]);
  last().say({ case: "undrain", value: create(UndrainSchema) });
  await time.advance(0);
  expect(told()).toEqual([false, true, false]);
});

test("a node that knows of no master waits until it hears of one", async () => {
  const { time, elect, streams } = rig();
  await time.advance(100);
  expect(streams).toEqual([]);
  await elect("a", 1);
  expect(streams.map(({ to }) => to)).toEqual(["a:7070"]);
});
