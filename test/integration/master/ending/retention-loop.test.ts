import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClusterTime } from "../../../../src/core/cluster-time.ts";
import { OUTCOME, type Outcome } from "../../../../src/core/job.ts";
import { LEASE_MARGIN_MS } from "../../../../src/core/lease.ts";
import { DEFAULT_RETENTION, parseRetention } from "../../../../src/core/state/retention.ts";
import type { MasterContext } from "../../../../src/master/context.ts";
import { RetentionLoop } from "../../../../src/master/ending/retention-loop.ts";
import { ClassRegistry } from "../../../../src/master/memory/class-registry.ts";
import { InFlight } from "../../../../src/master/memory/in-flight.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { systemRandom } from "../../../../src/system-clock.ts";
import { auditRecordOf } from "../../../fixtures/audit-record.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { silentLogger } from "../../../fixtures/silent-logger.ts";
import { emptyDatabase, job, NOW, result, spec } from "../../../fixtures/store-fixture.ts";
import { until } from "../../../fixtures/until.ts";
import { addFinishedJobs, type FinishedJobs, resultName } from "./finished-jobs.ts";

const JOBS = 1_200;
const LEASE_MS = 6_000;
const LOCK_TTL_MS = 3_000;
const MINUTE_MS = 60_000;

let database: Awaited<ReturnType<typeof emptyDatabase>>;
let store: JobStore;
let finished: FinishedJobs;
let clock: ManualClock;
let time: ClusterTime;
let inFlight: InFlight;
let end: AbortController;
let isTrusted: boolean;
let isDeposed: boolean;
let context: MasterContext;

beforeEach(async () => {
  database = await emptyDatabase("sqlite");
  store = database.open();
  await store.migrate();
  finished = await addFinishedJobs(store, JOBS, NOW);
  clock = new ManualClock(NOW);
  time = new ClusterTime(clock, NOW);
  inFlight = new InFlight();
  end = new AbortController();
  isTrusted = true;
  isDeposed = false;
  context = {
    epoch: (await store.readMastership()).epoch,
    store,
    settings: {
      lockTtlMs: LOCK_TTL_MS,
      leaseMs: LEASE_MS,
      horizonMs: 300_000,
      maxJobsInMemory: 1_000,
      maxLost: 10,
      retention: parseRetention(DEFAULT_RETENTION).retention,
      auditRetention: { ageMs: 90 * 24 * 60 * MINUTE_MS, rows: 1_000 },
      embedded: false,
      zoneData: "2026c",
    },
    clock,
    random: systemRandom,
    time,
    logger: silentLogger,
    ended: end.signal,
    epochWrittenAt: clock.monotonic(),
    knownGone: new Set(),
    trusted: () => isTrusted,
    silence: () => null,
    deposed: () => {
      isDeposed = true;
    },
  };
});

afterEach(async () => {
  end.abort();
  await store.close();
  await database.drop();
});

/** By when handlers were to be forgotten. */
let forgotten: number[] = [];
beforeEach(() => {
  forgotten = [];
});

async function newLoop(): Promise<RetentionLoop> {
  const classes = new ClassRegistry(context, () => {});
  await classes.load();
  return new RetentionLoop(context, {
    classes,
    inFlight,
    isRecovering: () => true,
    forgetHandlers: async (before) => {
      forgotten.push(before);
      return 2;
    },
  });
}

async function remaining(): Promise<{ jobs: Set<number>; results: Set<string> }> {
  const jobs = new Set<number>();
  let before: number | null = null;
  do {
    const page = await store.listJobs({}, { before, limit: 1_000 });
    for (const { id } of page.items) if (id <= finished.lastId) jobs.add(id);
    before = page.next;
  } while (before !== null);
  const results = new Set<string>();
  for (let from: Parameters<JobStore["listResults"]>[1]["before"] = null, more = true; more; ) {
    const page = await store.listResults({}, { before: from, limit: 1_000 });
    for (const row of page.items) results.add(resultName(row));
    from = page.next;
    more = from !== null;
  }
  return { jobs, results };
}

async function finish(loop: RetentionLoop, now: number): Promise<number> {
  let batches = 0;
  while (await loop.tick(now)) batches++;
  return batches;
}

/** Moves the clock on, whenever the loop waits for it. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await until("the loop rests", () => clock.isAwaited);
    clock.move(Math.min(left, 1_000));
  }
  await until("the loop rests", () => clock.isAwaited);
}

describe("a tick", () => {
  test("after the other removes exactly what is old enough", async () => {
    const loop = await newLoop();
    expect(await finish(loop, NOW)).toBeGreaterThan(5);
    expect(await remaining()).toEqual({ jobs: finished.keptJobs, results: finished.keptResults });
    expect(loop.removed.keys).toBe(200);
    const before = { ...loop.removed };
    await finish(loop, NOW);
    expect(loop.removed).toEqual(before);
  });

  test("is one small batch, and a job goes before its results", async () => {
    const loop = await newLoop();
    const all = await remaining();
    await loop.tick(NOW);
    const after = await remaining();
    expect(all.jobs.size - after.jobs.size).toBe(loop.removed.jobs);
    expect(loop.removed.jobs).toBeGreaterThan(0);
    expect(loop.removed.jobs).toBeLessThanOrEqual(500);
    expect(after.results).toEqual(all.results);
  });

  test("takes over what an earlier mastership left half done", async () => {
    await (await newLoop()).tick(NOW);
    await finish(await newLoop(), NOW);
    const { jobs, results } = await remaining();
    expect(jobs).toEqual(finished.keptJobs);
    // Results that lost their job like this go by their own age: here the LOST ones are kept for longer.
    expect(finished.keptResults.isSubsetOf(results)).toBe(true);
    expect(results.size - finished.keptResults.size).toBeLessThan(500);
    await finish(await newLoop(), NOW + 31 * 86_400_000);
    expect((await remaining()).results.isSubsetOf(finished.keptResults)).toBe(true);
  });

  test("leaves a job that somebody else writes about, and takes it the next time", async () => {
    const loop = await newLoop();
    const { promise, resolve } = Promise.withResolvers<void>();
    const busy = finished.firstId;
    inFlight.mark([busy], promise);
    await finish(loop, NOW);
    expect((await store.readJobs([busy])).size).toBe(1);
    resolve();
    await inFlight.free(busy);
    await finish(loop, NOW);
    expect((await store.readJobs([busy])).size).toBe(0);
    expect((await remaining()).jobs).toEqual(finished.keptJobs);
  });

  test("keeps so many results of each outcome as it is told, whatever page they are on", async () => {
    const [epoch, id] = [context.epoch, await store.reserveIds(context.epoch, 1)];
    const schedule = { kind: "cron", expression: "* * * * *", timeZone: "UTC" } as const;
    const at = NOW + 86_400_000;
    const rows = 2_600;
    await store.insertJobs(
      epoch,
      [job(id, { spec: spec({ schedule }), at, scheduledAt: at, claim: rows })],
      [],
    );
    const endTime = NOW - 2 * 3_600_000;
    for (let from = 0; from < rows; from += 100) {
      await store.writeResults(
        Array.from({ length: 100 }, (_, index) => {
          const claim = from + index + 1;
          const outcome = claim % 10 === 0 ? OUTCOME.FAILED : OUTCOME.SUCCEEDED;
          return result(id, claim, { outcome, startTime: endTime, endTime });
        }),
      );
    }
    const { retention } = parseRetention("succeeded=7d/900,failed=30d/5,results=off");
    context = { ...context, settings: { ...context.settings, retention } };
    await finish(await newLoop(), NOW);
    const kept = async (outcome: Outcome) => {
      const { items } = await store.listResults({ jobId: id, outcome }, { before: null, limit: 5_000 });
      return items.map(({ claim }) => claim);
    };
    expect(await kept(OUTCOME.FAILED)).toEqual([2600, 2590, 2580, 2570, 2560]);
    const succeeded = await kept(OUTCOME.SUCCEEDED);
    expect(succeeded).toHaveLength(900);
    expect(succeeded[0]).toBe(2599);
  });

  test("keeps the newest records of what callers did, as many as it is told, and none that is too old", async () => {
    const dayMs = 86_400_000;
    const records = Array.from({ length: 2_600 }, (_, index) =>
      auditRecordOf({ at: NOW - (index < 600 ? 91 : 89) * dayMs + index, id: index + 1 }),
    );
    await store.writeAudit(records);
    const loop = await newLoop();
    const kept = async () =>
      (await store.listAudit({}, { before: null, limit: 5_000 })).items.map(({ id }) => id);
    await finish(loop, NOW);
    expect(loop.removed.audit).toBe(1_600);
    expect(await kept()).toEqual(Array.from({ length: 1_000 }, (_, index) => 2_600 - index));
    await finish(await newLoop(), NOW + 2 * dayMs);
    expect(await kept()).toEqual([]);
  });

  test("finds what has become old since", async () => {
    const loop = await newLoop();
    await finish(loop, NOW);
    await finish(loop, NOW + 40 * 86_400_000);
    // Those that go on, with their newest results.
    expect((await remaining()).jobs.size).toBe(2);
    expect((await remaining()).results.size).toBe(2);
  });
});

describe("the loop", () => {
  const startMs = LEASE_MS + LOCK_TTL_MS + LEASE_MARGIN_MS;

  test("begins when recovery has had its time", async () => {
    const loop = await newLoop();
    void loop.run();
    await pass(startMs - 1);
    expect(loop.removed.jobs).toBe(0);
    await pass(MINUTE_MS);
    expect(loop.removed.jobs).toBeGreaterThan(0);
  });

  test("pauses without trust", async () => {
    const loop = await newLoop();
    isTrusted = false;
    void loop.run();
    await pass(startMs + MINUTE_MS);
    expect(loop.removed.jobs).toBe(0);
    isTrusted = true;
    await pass(MINUTE_MS);
    expect(loop.removed.jobs).toBeGreaterThan(0);
  });

  test("pauses while cluster time is off by more than a minute", async () => {
    const loop = await newLoop();
    time.adjust(NOW + 61_000, clock.monotonic(), clock.monotonic());
    void loop.run();
    await pass(startMs + MINUTE_MS);
    expect(loop.removed.jobs).toBe(0);
    time.adjust(time.now(), clock.monotonic(), clock.monotonic());
    await pass(MINUTE_MS);
    expect(loop.removed.jobs).toBeGreaterThan(0);
  });

  test("pauses while the database's clock and this machine's are hours apart", async () => {
    const loop = await newLoop();
    clock.offMs = -2 * 3_600_000;
    void loop.run();
    await pass(startMs + MINUTE_MS);
    expect(loop.removed.jobs).toBe(0);
    clock.offMs = 0;
    await pass(MINUTE_MS);
    expect(loop.removed.jobs).toBeGreaterThan(0);
  });

  test("ends when another epoch has begun", async () => {
    const loop = await newLoop();
    await store.advanceEpoch(context.epoch, { epoch: context.epoch + 1, incarnation: "another" });
    const ended = loop.run();
    await until("it waits", () => clock.isAwaited);
    clock.move(startMs);
    await ended;
    expect(isDeposed).toBe(true);
    expect((await remaining()).jobs.size).toBe(JOBS + 2);
  });
});
