import { expect, test } from "vitest";
import { Answers } from "../../../../src/core/readiness/answers.ts";
import { NeededServers } from "../../../../src/master/election/needed-servers.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { MemoryLock } from "../../../fixtures/memory-lock.ts";

/** A database that answers probes when the test says so. */
function rig() {
  const clock = new ManualClock();
  const answers = new Answers("MySQL", () => clock.monotonic());
  const probes: (() => void)[] = [];
  const store: Pick<JobStore, "silence" | "probe"> = {
    silence: () => answers.silence(),
    probe: () => new Promise((resolve) => probes.push(resolve)),
  };
  const lock = new MemoryLock();
  const servers = new NeededServers({
    lock,
    store: store as JobStore,
    clock,
    settings: { lockTtlMs: 3_000 },
  });
  return { clock, answers, probes, lock, servers };
}

test("asks a database to which nothing has been written for a second, and no other", async () => {
  const { clock, answers, probes, servers } = rig();
  const end = new AbortController();
  const watching = servers.watch(() => true, end.signal);
  for (let passed = 0; passed < 5_000; passed += 250) {
    clock.move(250);
    answers.answered();
    await settled();
  }
  expect(probes).toHaveLength(0);
  clock.move(750);
  await settled();
  expect(probes).toHaveLength(0);
  clock.move(250);
  await settled();
  expect(probes).toHaveLength(1);
  end.abort();
  await watching;
});

test("has one question open at a time, however long that is not answered", async () => {
  const { clock, answers, probes, servers } = rig();
  const end = new AbortController();
  const watching = servers.watch(() => true, end.signal);
  for (let passed = 0; passed < 60_000; passed += 250) {
    clock.move(250);
    await settled();
  }
  expect(probes).toHaveLength(1);
  expect(servers.silence(clock.monotonic() + 2_800)).toMatchObject({ who: "MySQL", ms: 60_000 });
  answers.answered();
  probes[0]?.();
  await settled();
  expect(servers.silence(clock.monotonic() + 2_800)).toBeNull();
  clock.move(1_000);
  await settled();
  expect(probes).toHaveLength(2);
  end.abort();
  await watching;
});

test("asks nothing while nobody needs to know", async () => {
  const { clock, probes, servers } = rig();
  const end = new AbortController();
  let isNeeded = false;
  const watching = servers.watch(() => isNeeded, end.signal);
  clock.move(5_000);
  await settled();
  expect(probes).toHaveLength(0);
  isNeeded = true;
  clock.move(250);
  await settled();
  expect(probes).toHaveLength(1);
  end.abort();
  await watching;
});

test("takes a lock for lost shortly before it may not be acted on any more", () => {
  const { clock, lock, servers } = rig();
  lock.silence = () => ({ who: "Redis", how: "silent", ms: 2_300 });
  expect(servers.silence(clock.monotonic() + 500)).toBeNull();
  expect(servers.silence(clock.monotonic() + 499)).toEqual({ who: "Redis", how: "silent", ms: 2_300 });
});
