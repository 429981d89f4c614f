import { expect, test } from "vitest";
import type { Identity, Network } from "../../../../src/coordination/network.ts";
import { Queues } from "../../../../src/core/queues/queues.ts";
import type { Endings } from "../../../../src/master/ending/endings.ts";
import { ClaimHolders } from "../../../../src/master/memory/claim-holders.ts";
import { AbsentNodes } from "../../../../src/master/nodes/absent-nodes.ts";
import type { NodeNumbers } from "../../../../src/master/nodes/node-numbers.ts";
import type { UnheardNodes } from "../../../../src/master/nodes/unheard-nodes.ts";
import type { ClaimRef } from "../../../../src/store/job-store.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";

type Answer = Identity | "refused" | "silent";

const LEASE_MS = 6_000;
const LOCK_TTL_MS = 3_000;
const MARGIN_MS = 800;
const PAUSE_MS = 50;
/** The fixture's session is that of node 1. */
const NODE = 1;
const CLAIM = { jobId: 5, claim: 2 };
const LOST = [{ claims: [CLAIM], reason: "its node is gone" }];
const ITSELF: Identity = { incarnation: "a process", nodeId: "a", epoch: 0, sharesDatabase: false };
const REPLACED: Identity = { incarnation: "the next process", nodeId: "a", epoch: 0, sharesDatabase: false };

/** Node 1 holds a claim. What answers at its address, one look after another; then silence. */
function start({ answers = [] as Answer[], embedded = false, isReachable = true } = {}) {
  const clock = new ManualClock();
  const end = new AbortController();
  const asked: [string, number][] = [];
  const network: Network = {
    openStream: () => ({ send: () => {}, close: () => {} }),
    async identify(address, timeoutMs) {
      asked.push([address, timeoutMs]);
      return answers[asked.length - 1] ?? "silent";
    },
  };
  const knownGone = new Set<string>();
  const noted: number[] = [];
  const state = { isTrusted: true };
  const context = masterContext({
    clock,
    ended: end.signal,
    knownGone,
    trusted: () => state.isTrusted,
    settings: { leaseMs: LEASE_MS, lockTtlMs: LOCK_TTL_MS, embedded },
  });
  const holders = new ClaimHolders(new Queues());
  holders.give(NODE, CLAIM.jobId, CLAIM.claim);
  const lost: { claims: readonly ClaimRef[]; reason: string }[] = [];
  const lose = (claims: readonly ClaimRef[], reason: string) => lost.push({ claims, reason });
  const numbers = { incarnationOf: (number: number) => (number === NODE ? "a process" : undefined) };
  const absent = new AbsentNodes(context, {
    network,
    holders,
    numbers: numbers as unknown as NodeNumbers,
    endings: { lose } as unknown as Endings,
    unheard: {
      since: (_: number, latest: number) => latest,
      note: (number: number) => noted.push(number),
    } as unknown as UnheardNodes,
  });
  const { session } = sessionOf();
  session.isReachable = isReachable;
  return { absent, clock, end, asked, knownGone, state, holders, lost, noted, session };
}

type Started = ReturnType<typeof start>;

test.each<[string, number, (started: Started) => void]>([
  [
    "whose stream has ended is waited for until its lease has run out, and a margin",
    LEASE_MS + MARGIN_MS,
    ({ absent, session }) => absent.left(session),
  ],
  [
    "that only the database tells of is waited for until the master before could have answered it no more",
    LEASE_MS + LOCK_TTL_MS + MARGIN_MS,
    ({ absent }) => absent.expect(NODE),
  ],
  [
    "that the database tells of after its stream has ended is waited for no longer than it was",
    LEASE_MS + MARGIN_MS,
    ({ absent, session }) => {
      absent.left(session);
      absent.expect(NODE);
    },
  ],
])("a node %s: %i ms", (_, ms, leave) => {
  const started = start({ isReachable: false });
  const { absent, clock, lost, holders } = started;
  leave(started);
  clock.move(ms - 1);
  absent.tick();
  expect([lost, holders.claimsOf(NODE)]).toEqual([[], [CLAIM]]);
  clock.move(1);
  absent.tick();
  expect([lost, holders.claimsOf(NODE)]).toEqual([LOST, []]);
  absent.tick();
  expect(lost).toHaveLength(1);
});

test("the lease of a node whose stream has ended counts from its last ping", () => {
  const { absent, clock, lost, session } = start({ isReachable: false });
  session.heardAt = 1_000;
  absent.left(session);
  clock.move(1_000 + LEASE_MS + MARGIN_MS - 1);
  absent.tick();
  expect(lost).toEqual([]);
  clock.move(1);
  absent.tick();
  expect(lost).toEqual(LOST);
});

test("a process that is known to be gone takes no other with it", () => {
  const { absent, knownGone, lost } = start();
  knownGone.add("another process");
  absent.expect(NODE);
  absent.tick();
  expect(lost).toEqual([]);
});

test("a node that is back speaks for itself", () => {
  const { absent, clock, lost } = start();
  absent.expect(NODE);
  absent.isBack(NODE);
  clock.move(60_000);
  absent.tick();
  expect(lost).toEqual([]);
});

test("claims of nobody, and those of any node where there is but one process, are lost at once", () => {
  const { absent, holders, lost } = start();
  holders.give(0, CLAIM.jobId, CLAIM.claim);
  absent.expect(0);
  absent.tick();
  expect(lost).toEqual(LOST);

  const alone = start({ embedded: true });
  alone.absent.expect(NODE);
  alone.absent.tick();
  expect(alone.lost).toEqual(LOST);
});

test.each([
  ["before it is expected", true],
  ["only afterwards", false],
])("a node whose process is known to have ended, %s, is waited for no longer", (_, isBefore) => {
  const { absent, knownGone, lost } = start();
  if (isBefore) knownGone.add("a process");
  absent.expect(NODE);
  if (!isBefore) {
    absent.tick();
    expect(lost).toEqual([]);
    knownGone.add("a process");
  }
  absent.tick();
  expect(lost).toEqual(LOST);
});

test("without trust nothing is taken from anybody (G8)", () => {
  const { absent, clock, state, lost } = start();
  absent.expect(NODE);
  state.isTrusted = false;
  clock.move(60_000);
  absent.tick();
  expect(lost).toEqual([]);
  state.isTrusted = true;
  absent.tick();
  expect(lost).toEqual(LOST);
});

test.each<[string, boolean, number, Answer[]]>([
  ["refuses twice", true, 2, ["refused", "refused"]],
  ["answers with another incarnation", true, 1, [REPLACED]],
  ["refuses, is silent, and refuses twice", true, 4, ["refused", "silent", "refused", "refused"]],
  ["refuses only once in a row", false, 6, ["refused", "silent", "refused", ITSELF, "refused"]],
  ["answers as itself", false, 6, Array.from({ length: 6 }, () => ITSELF)],
  ["is silent", false, 6, []],
])("a node whose address %s has ended before its lease has: %s", async (_, hasEnded, looks, answers) => {
  const { absent, clock, asked, lost, session } = start({ answers });
  absent.left(session);
  await settled();
  for (let pauses = 0; pauses < 5; pauses++) {
    clock.move(PAUSE_MS);
    await settled();
  }
  expect(asked).toEqual(Array.from({ length: looks }, () => [session.address, 500]));
  expect(lost).toEqual(hasEnded ? LOST : []);
});

test("its address is asked at once, and again after each pause", async () => {
  const { absent, clock, asked, session } = start();
  absent.left(session);
  await settled();
  expect(asked).toHaveLength(1);
  clock.move(PAUSE_MS - 1);
  await settled();
  expect(asked).toHaveLength(1);
  clock.move(1);
  await settled();
  expect(asked).toHaveLength(2);
});

test.each<[string, (started: Started) => void]>([
  ["once it is back", ({ absent }) => absent.isBack(NODE)],
  ["once the mastership has ended", ({ end }) => end.abort()],
])("its address is asked no more %s", async (_, change) => {
  const started = start({ answers: ["refused", "refused"] });
  const { absent, clock, asked, lost, session } = started;
  absent.left(session);
  await settled();
  change(started);
  clock.move(PAUSE_MS);
  await settled();
  expect([asked.length, lost]).toEqual([1, []]);
});

test("an address that never answered proves nothing by refusing: it is not asked", async () => {
  const { absent, asked, session } = start({ answers: ["refused", "refused"], isReachable: false });
  absent.left(session);
  await settled();
  expect(asked).toEqual([]);
});

test("a node that is waited for is noted for the next master when it has not been heard for a second", () => {
  const { absent, clock, noted } = start();
  expect(absent.areAwaited).toBe(false);
  absent.expect(NODE);
  expect(absent.areAwaited).toBe(true);
  clock.move(999);
  absent.tick();
  expect(noted).toEqual([]);
  clock.move(1);
  absent.tick();
  expect(noted).toEqual([NODE]);
});
