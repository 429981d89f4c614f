import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { doneMessage } from "../../../../src/coordination/done-claim.ts";
import type { Identity } from "../../../../src/coordination/network.ts";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import { CreditSchema, HeldState, Verdict } from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { NOW } from "../../../fixtures/job-fixture.ts";
import {
  ADDRESS,
  GONE_MS,
  ITSELF,
  LEASE_MS,
  runningOn,
  startNodes,
} from "../../../fixtures/nodes-of-master.ts";

const NO_LONGER = "its node no longer holds it";

test("a node that says hello is welcomed, and jobs of its classes are read and placed", async () => {
  const { connect, connected, pages, turns, clock, lost } = await startNodes();
  const { sent, said } = await connect();
  // It holds nothing, so there is nothing to say of that.
  expect(said()).toEqual(["welcome"]);
  expect(sent[0]?.value).toMatchObject({ epoch: 1, nodeNumber: 1, clusterTimeMs: NOW, leaseMs: LEASE_MS });
  expect(connected.candidates(1)).toHaveLength(1);
  expect(pages.isPresent(1)).toBe(true);
  clock.move(0);
  expect([turns, lost]).toEqual([[0], []]);
});

test.each<[string, Identity | "refused" | "silent", boolean]>([
  ["answers as itself", ITSELF, true],
  ["answers with another incarnation", { ...ITSELF, incarnation: "another" }, false],
  ["refuses", "refused", false],
  ["is silent", "silent", false],
])("a node whose address %s counts as reached there, without a warning: %s", async (_, answer, isReached) => {
  const { connect, connected, state, asked, warnings } = await startNodes();
  state.answer = answer;
  await connect();
  expect(asked).toEqual([[ADDRESS, 500]]);
  expect(connected.numbered(1)?.isReachable).toBe(isReached);
  expect(warnings).toHaveLength(isReached ? 0 : 1);
});

test("a node that is not reached is tried again: each cause is told once, and that it is reached", async () => {
  const { connect, connected, state, asked, infos, warnings, clock } = await startNodes();
  const again = async () => {
    clock.move(10_000);
    await settled();
  };
  [state.answer, state.unproved] = ["silent", "its certificate is out of date"];
  const { ping } = await connect();
  for (let tries = 0; tries < 3; tries++) {
    await ping();
    await again();
  }
  expect(warnings).toEqual(["node is not reached at its address"]);
  [state.answer, state.unproved] = ["refused", ""];
  await ping();
  await again();
  expect(warnings.slice(1)).toEqual(["node is not reached at its address; check ADVERTISE_ADDRESS"]);
  state.answer = ITSELF;
  await ping();
  await again();
  expect(infos).toContain("node is reached at its address again");
  expect(connected.numbered(1)?.isReachable).toBe(true);
  const { length } = asked;
  await ping();
  await again();
  expect(asked).toHaveLength(length);
});

test("a node that has left by the time that its address answers is no reason for a warning", async () => {
  const { connect, state, warnings } = await startNodes();
  const answer = Promise.withResolvers<void>();
  state.answered = () => answer.promise;
  state.answer = "refused";
  const { handler } = await connect();
  handler.closed();
  answer.resolve();
  await settled();
  expect(warnings).toEqual([]);
});

test("a node whose stream has ended is sent nothing more, and others may be given what it was to get", async () => {
  const { connect, connected, clock, turns } = await startNodes();
  const { handler } = await connect();
  const session = connected.numbered(1);
  clock.move(1);
  expect([session?.isOpen, turns]).toEqual([true, [0]]);
  handler.closed();
  clock.move(1);
  expect([session?.isOpen, turns]).toEqual([false, [0, 1]]);
});

test("the handlers of a node count as offered from when it comes until it leaves", async () => {
  const { connect, known, clock } = await startNodes();
  expect(known.lastOfferedAt("echo")).toBeNull();
  const { handler } = await connect();
  expect(known.lastOfferedAt("echo")).toBe(NOW);
  clock.move(700);
  handler.closed();
  expect(known.lastOfferedAt("echo")).toBe(NOW + 700);
});

test("what a node offers, and what it has done, ask for a turn", async () => {
  const { connect, connected, clock, turns } = await startNodes();
  const { say, sent } = await connect();
  clock.move(1);
  await say({ case: "credit", value: create(CreditSchema, { slots: 3, freeMemoryMb: 50 }) });
  expect(connected.numbered(1)?.freeSlots).toBe(3);
  clock.move(1);
  await say({ case: "done", value: doneMessage(1, []) });
  expect(sent.at(-1)).toMatchObject({ case: "doneAck", value: { sequence: 1 } });
  clock.move(1);
  expect(turns).toEqual([1, 2, 3].map(() => expect.any(Number)));
});

test("a node is told that the master would not answer an add: with its stream, its welcome, and each change", async () => {
  const { connect, sessions, state } = await startNodes();
  state.silence = { who: "MySQL", how: "silent", ms: 2_000 };
  const { said, sent } = await connect();
  expect(said()).toEqual(["standing", "welcome", "standing"]);
  for (const silence of [null, { who: "Redis", how: "unconfirmed", ms: 2_800 } as const, null]) {
    state.silence = silence;
    sessions.tick();
  }
  const told = sent.slice(3).map(({ value }) => value);
  expect(told).toMatchObject([{ waitsFor: "" }, { waitsFor: "Redis" }, { waitsFor: "" }]);
});

test("a message that is not expected ends the stream", async () => {
  const { connect } = await startNodes();
  const { say, stream } = await connect();
  await say({ case: undefined });
  expect(stream.closes).toBe(1);
});

test("a node that is silent for its lease and a margin is closed, and what it held is lost", async () => {
  const { connect, connected, sessions, clock, holders, lost } = await startNodes();
  const { stream } = await connect();
  holders.give(1, 5, 2);
  clock.move(GONE_MS - 1);
  sessions.tick();
  expect([connected.all().length, stream.closes, lost]).toEqual([1, 0, []]);
  clock.move(1);
  sessions.tick();
  expect([connected.all().length, stream.closes > 0]).toEqual([0, true]);
  expect(lost).toEqual([{ claims: [{ jobId: 5, claim: 2 }], reason: "its node is gone" }]);
});

test("a ping is answered with what it said, and counts as a sign of life", async () => {
  const { connect, connected, sessions, clock } = await startNodes();
  const { ping, sent } = await connect();
  clock.move(GONE_MS - 1);
  await ping();
  expect(sent.at(-1)).toMatchObject({
    case: "pong",
    value: { sentAtMs: 77, clusterTimeMs: NOW + GONE_MS - 1 },
  });
  clock.move(GONE_MS - 1);
  sessions.tick();
  expect(connected.all()).toHaveLength(1);
});

test("a ping that must not be answered is no sign of life either: another has been elected", async () => {
  const { connect, connected, sessions, clock, state } = await startNodes();
  const { ping, said } = await connect();
  [state.isTrusted, state.mastership] = [false, { epoch: 2, incarnation: "another" }];
  clock.move(GONE_MS - 1);
  await ping();
  expect([said(), state.deposed]).toEqual([["welcome"], 1]);
  clock.move(1);
  sessions.tick();
  expect(connected.all()).toEqual([]);
});

test("silence is noticed by a look each 100 ms, until the mastership ends", async () => {
  const { connect, connected, sessions, clock, end } = await startNodes();
  await connect();
  const running = sessions.run();
  clock.move(GONE_MS - 100);
  await settled();
  expect(connected.all()).toHaveLength(1);
  clock.move(100);
  await settled();
  expect(connected.all()).toEqual([]);
  end.abort();
  await running;
});

test("a stream that ended after its node had opened another takes nothing from that one", async () => {
  const { connect, connected, sessions, clock, lost, holders } = await startNodes();
  const first = await connect();
  const second = await connect();
  holders.give(1, 5, 2);
  first.handler.closed();
  clock.move(GONE_MS - 1);
  await second.ping();
  clock.move(1_000);
  sessions.tick();
  expect([first.stream.closes > 0, second.stream.closes, connected.all().length]).toEqual([true, 0, 1]);
  expect(lost).toEqual([]);
});

test("when the mastership ends, all streams do", async () => {
  const { connect, connected, sessions } = await startNodes();
  const { stream } = await connect();
  sessions.close();
  expect([stream.closes, connected.all()]).toEqual([1, []]);
});

test("a node that has not entered itself in the master's database is told so, and then closed", async () => {
  const { connect, connected, state, clock, errors } = await startNodes();
  state.findNode = async () => null;
  const { stream, said } = await connect();
  expect([stream.closes, connected.all()]).toEqual([0, []]);
  expect(said()).toEqual(["refusal"]);
  clock.move(1_000);
  expect(stream.closes).toBe(1);
  // It comes back every few seconds: that is logged once.
  await connect();
  expect(errors).toEqual([
    expect.stringMatching(/uses another database than its master: cluster .*, the master's is cluster-1/),
  ]);
});

test("a node of which it was noted that it is not heard is welcomed only when that is withdrawn", async () => {
  const { connect, connected, state, unheard } = await startNodes();
  unheard.load([{ number: 1, incarnation: "a process", nodeId: "a", unheardSince: 5 }]);
  state.noteUnheard = () => Promise.reject(new ElasticJobError("unavailable", "no answer"));
  const first = await connect();
  expect([first.said(), connected.all()]).toEqual([[], []]);
  state.noteUnheard = async () => {};
  const second = await connect();
  expect(second.said()).toEqual(["welcome"]);
});

test("a master that finds itself deposed as it withdraws a note answers nobody any more", async () => {
  const { connect, connected, state, unheard } = await startNodes();
  unheard.load([{ number: 1, incarnation: "a process", nodeId: "a", unheardSince: 5 }]);
  state.noteUnheard = () => Promise.reject(new ElasticJobError("stale_epoch", "another epoch"));
  const { stream, said } = await connect();
  expect([stream.closes, said(), state.deposed, connected.all()]).toEqual([1, [], 1, []]);
});

test("a node whose claims could not be judged is turned away, and holds them until it comes back or is gone", async () => {
  const { connect, connected, state, holders, lost } = await startNodes();
  state.read = () => Promise.reject(new Error("no answer"));
  const { stream } = await connect({ claims: [[5, 2, HeldState.RUNNING]] });
  expect([stream.closes > 0, connected.all(), lost]).toEqual([true, [], []]);
  expect(holders.claimsOf(1)).toEqual([{ jobId: 5, claim: 2 }]);
});

test("what a node lists that is back stays its own, however long it was away", async () => {
  const { clock, rows, lost, connect, sessions } = await startNodes();
  rows.set(5, runningOn(1));
  const gone = await connect({ claims: [[5, 2, HeldState.RUNNING]] });
  gone.handler.closed();
  clock.move(GONE_MS - 100);
  const back = await connect({ claims: [[5, 2, HeldState.RUNNING]] });
  for (let ms = 0; ms < GONE_MS; ms += 500) {
    clock.move(500);
    await back.ping();
    sessions.tick();
  }
  expect(lost).toEqual([]);
});

test("a cancelled job's claim is aborted at the node that holds it, and where nobody does nothing is sent", async () => {
  const { connect, sessions, holders } = await startNodes();
  const { verdicts } = await connect();
  sessions.abort(runningOn(1));
  expect(verdicts()).toEqual([]);
  holders.give(1, 5, 2);
  sessions.abort(runningOn(1));
  expect(verdicts()).toEqual([[5, 2, Verdict.ABORT]]);
});

test("a running job that a connected node holds goes into memory, and on", async () => {
  const { connect, holders, queues, lost } = await startNodes();
  await connect();
  holders.give(1, 5, 2);
  holders.found(runningOn(1));
  expect([queues.get(5)?.place, lost]).toEqual(["running", []]);
});

test("a running job whose node is here, and did not list it, is lost", async () => {
  const { connect, holders, lost } = await startNodes();
  await connect();
  holders.found(runningOn(1));
  expect(lost).toEqual([{ claims: [{ jobId: 5, claim: 2 }], reason: NO_LONGER }]);
});

test("a running job whose node is not here is that node's, which may come and speak for it", async () => {
  const { sessions, holders, clock, lost, queues } = await startNodes();
  holders.found(runningOn(9));
  expect([queues.get(5)?.place, holders.claimsOf(9), lost]).toEqual([
    "running",
    [{ jobId: 5, claim: 2 }],
    [],
  ]);
  clock.move(60_000);
  sessions.tick();
  expect(lost).toEqual([{ claims: [{ jobId: 5, claim: 2 }], reason: "its node is gone" }]);
});

test("a node that has been silent for a third of its lease is noted for the next master, once", async () => {
  const { connect, sessions, clock, state } = await startNodes();
  const notes: number[] = [];
  state.noteUnheard = async (_, asked) => void notes.push(...asked.map(({ number }) => number));
  await connect();
  clock.move(LEASE_MS / 3 - 1);
  sessions.tick();
  await settled();
  expect(notes).toEqual([]);
  clock.move(1);
  sessions.tick();
  sessions.tick();
  await settled();
  expect(notes).toEqual([1]);
});

test("a ping is answered only when what was noted of its node is withdrawn (G7)", async () => {
  const { connect, sessions, clock, state } = await startNodes();
  const { ping, said } = await connect();
  clock.move(LEASE_MS / 3);
  sessions.tick();
  await settled();
  state.noteUnheard = () => Promise.reject(new ElasticJobError("unavailable", "no answer"));
  await ping();
  expect(said()).toEqual(["welcome"]);
  state.noteUnheard = async () => {};
  await ping();
  expect(said()).toEqual(["welcome", "pong"]);
});

test("a node whose number cannot be read is not told that it is another cluster's", async () => {
  const { connect, state } = await startNodes();
  state.findNode = () => Promise.reject(new ElasticJobError("unavailable", "no answer"));
  const { stream, said } = await connect();
  expect([stream.closes, said()]).toEqual([1, []]);
});
