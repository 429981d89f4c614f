/** Both adapters, each on an empty store of its own, and rows to put there. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { isError } from "../../../src/core/errors.ts";
import type { JobRecord, ResultRecord } from "../../../src/core/job.ts";
import type { JobStore, Projection } from "../../../src/store/job-store.ts";
import { openMysqlStore, openSqliteStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { recordOf, resultOf } from "../../unit/core/job-fixture.ts";

export interface StoreUnderTest {
  readonly adapter: "mysql" | "sqlite";
  /** Migrated, with `epoch` begun. */
  readonly store: JobStore;
  readonly epoch: number;
  /** A second store on the same database: another process's. */
  readonly other: JobStore;
  /** Begins another epoch, as another master would. */
  depose(): Promise<void>;
  /** Begins an epoch for the test that follows. */
  elect(): Promise<number>;
}

/** Runs the tests once for each adapter. `get` is for use inside a test. */
export function describeStores(name: string, tests: (get: () => StoreUnderTest) => void): void {
  for (const adapter of ["mysql", "sqlite"] as const) {
    describe(`${name} (${adapter})`, () => {
      let current: StoreUnderTest | undefined;
      let cleanUp = async () => {};
      beforeAll(async () => {
        const { open, drop } = await emptyDatabase(adapter);
        const store = open();
        const other = open();
        cleanUp = async () => {
          await Promise.all([store.close(), other.close()]);
          await drop();
        };
        await store.migrate();
        let epoch = 0;
        const elect = async () => {
          const next = Math.max(epoch, (await store.readMastership()).epoch) + 1;
          expect(await store.advanceEpoch(next - 1, { epoch: next, incarnation: `master-${next}` })).toBe(
            true,
          );
          epoch = next;
          return next;
        };
        await elect();
        current = {
          adapter,
          store,
          other,
          elect,
          get epoch() {
            return epoch;
          },
          async depose() {
            const now = (await other.readMastership()).epoch;
            await other.advanceEpoch(now, { epoch: now + 1, incarnation: "the-next-master" });
          },
        };
      }, 60_000);
      afterAll(() => cleanUp());
      tests(() => {
        if (current === undefined) throw new Error("the store is not open yet");
        return current;
      });
    });
  }
}

export async function emptyDatabase(
  adapter: "mysql" | "sqlite",
): Promise<{ readonly url: string; open(): JobStore; drop(): Promise<void> }> {
  if (adapter === "mysql") {
    const { url, drop } = await freshDatabase();
    return { url, drop, open: () => openMysqlStore({ url, clock: systemClock, connections: 4 }) };
  }
  const folder = await mkdtemp(join(tmpdir(), "elastic-job-store-"));
  const path = join(folder, "store.sqlite");
  return {
    url: path,
    open: () => openSqliteStore({ path, clock: systemClock }),
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

export const NOW = 1_760_000_000_000;

export { specOf as spec } from "../../unit/core/job-fixture.ts";

export function job(id: number, changes: Partial<JobRecord> = {}): JobRecord {
  const times = { at: NOW, scheduledAt: NOW, createTime: NOW - 1_000, updateTime: NOW - 1_000 };
  return recordOf({ id, revision: 1, ...times, ...changes });
}

export function result(jobId: number, claim: number, changes: Partial<ResultRecord> = {}): ResultRecord {
  const times = { scheduledAt: NOW, startTime: NOW + 10, endTime: NOW + 20 };
  return resultOf({ jobId, claim, placement: "least_loaded 0.1", ...times, ...changes });
}

export function projection(jobId: number, changes: Partial<Projection> = {}): Projection {
  return {
    jobId,
    claim: 1,
    revision: 1,
    updateTime: NOW + 30,
    status: 5,
    at: Number.MAX_SAFE_INTEGER,
    scheduledAt: NOW,
    attempt: 1,
    failures: 0,
    lost: 0,
    endedAt: 0,
    ...changes,
  };
}

/** Ids that no other test of the file uses. */
export async function newIds(under: StoreUnderTest, count: number): Promise<number[]> {
  const first = await under.store.reserveIds(under.epoch, count);
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Adds jobs that differ from the plain one as `changes` says. */
export async function addJobs(
  under: StoreUnderTest,
  count: number,
  changes: (index: number) => Partial<JobRecord> = () => ({}),
): Promise<JobRecord[]> {
  const ids = await newIds(under, count);
  const jobs = ids.map((id, index) => job(id, changes(index)));
  await under.store.insertJobs(under.epoch, jobs, []);
  return jobs;
}

/** Adds jobs and claims them for node 1. */
export async function addRunning(
  under: StoreUnderTest,
  count: number,
  changes: (index: number) => Partial<JobRecord> = () => ({}),
): Promise<JobRecord[]> {
  const jobs = await addJobs(under, count, changes);
  const claims = jobs.map((one) => ({ jobId: one.id, claim: one.claim + 1, revision: one.revision }));
  expect(await under.store.claimJobs(under.epoch, 1, claims, NOW)).toBe(count);
  return jobs;
}

export async function expectCode(
  promise: Promise<unknown>,
  code: Parameters<typeof isError>[1],
): Promise<Error> {
  const error = await promise.then(
    (value) => expect.fail(`expected ${code}, got ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!isError(error, code)) throw error;
  return error;
}
