import { expect, test } from "vitest";
import type { Identity, Network } from "../../../../src/coordination/network.ts";
import { DeadMasters } from "../../../../src/master/election/dead-masters.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { MemoryLock } from "../../../fixtures/memory-lock.ts";
import { silentLogger } from "../../../fixtures/silent-logger.ts";

type Answer = Identity | "refused" | "silent";

const MASTER = { address: "127.0.0.1:2", nodeId: "b", incarnation: "the master", epoch: 5, cluster: "c" };
const ITSELF: Identity = { incarnation: "the master", nodeId: "b", epoch: 5, sharesDatabase: false };
const ANOTHER: Identity = { incarnation: "another process", nodeId: "b", epoch: 0, sharesDatabase: false };
const PAUSE_MS = 20;

/** What answers at the master's address, one look after another. */
function start(...answers: Answer[]) {
  const clock = new ManualClock();
  const lock = new MemoryLock();
  lock.held = MASTER.incarnation;
  const asked: [string, number][] = [];
  const network: Network = {
    openStream: () => ({ send: () => {}, close: () => {} }),
    async identify(address, timeoutMs) {
      asked.push([address, timeoutMs]);
      return answers[asked.length - 1] ?? "silent";
    },
  };
  const parts = { lock, network, clock, logger: silentLogger, incarnation: "this process" };
  const deadMasters = new DeadMasters(parts);
  return { clock, lock, asked, deadMasters };
}

test.each<[string, boolean, number, Answer[]]>([
  ["refuses twice", true, 2, ["refused", "refused"]],
  ["answers with another incarnation", true, 1, [ANOTHER]],
  ["refuses, then answers with another incarnation", true, 2, ["refused", ANOTHER]],
  ["answers as itself", false, 1, [ITSELF]],
  ["is silent, which proves nothing,", false, 1, ["silent"]],
  ["refuses once, and then is silent,", false, 2, ["refused", "silent"]],
  ["refuses once, and then answers as itself,", false, 2, ["refused", ITSELF]],
])("a master whose address %s has ended: %s", async (_, hasEnded, looks, answers) => {
  const { clock, lock, asked, deadMasters } = start(...answers);
  const look = deadMasters.look(MASTER, new AbortController().signal);
  await settled();
  clock.move(PAUSE_MS);
  expect(await look).toBe(hasEnded);
  expect(asked).toEqual(Array.from({ length: looks }, () => [MASTER.address, 500]));
  // Only then is its lock broken, and is it known that nobody need wait for what it ran.
  expect(lock.held).toBe(hasEnded ? null : MASTER.incarnation);
  expect([...deadMasters.known]).toEqual(hasEnded ? [MASTER.incarnation] : []);
});

test("it is asked at once, and after a refusal once more a moment later", async () => {
  const { clock, asked, deadMasters } = start("refused", "refused");
  const look = deadMasters.look(MASTER, new AbortController().signal);
  await settled();
  expect(asked).toHaveLength(1);
  clock.move(PAUSE_MS - 1);
  await settled();
  expect(asked).toHaveLength(1);
  clock.move(1);
  expect(await look).toBe(true);
  expect(asked).toHaveLength(2);
});

test("this process never takes itself for dead", async () => {
  const { asked, deadMasters } = start("refused", "refused");
  const own = { ...MASTER, incarnation: "this process" };
  expect(await deadMasters.look(own, new AbortController().signal)).toBe(false);
  expect(asked).toEqual([]);
});

test("one that stops looks no more", async () => {
  const { asked, deadMasters, lock } = start("refused", "refused");
  const stop = new AbortController();
  const look = deadMasters.look(MASTER, stop.signal);
  await settled();
  stop.abort();
  expect(await look).toBe(false);
  expect([asked.length, lock.held]).toEqual([1, MASTER.incarnation]);
});

test("a lock that cannot be broken runs out by itself: the master has ended all the same", async () => {
  const { lock, deadMasters } = start(ANOTHER);
  lock.release = () => Promise.reject(new Error("no answer"));
  expect(await deadMasters.look(MASTER, new AbortController().signal)).toBe(true);
  expect([...deadMasters.known]).toEqual([MASTER.incarnation]);
});
