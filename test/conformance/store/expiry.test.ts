import { expect, test } from "vitest";
import { farEnd, type JobRecord, NEVER, OUTCOME, STORED_STATUS } from "../../../src/core/job.ts";
import type { ClaimRef, Cursor } from "../../../src/store/job-store.ts";
import {
  addJobs,
  describeStores,
  expectCode,
  job,
  NOW,
  newIds,
  readKeyIds,
  result,
  type StoreUnderTest,
} from "../../fixtures/store-fixture.ts";

const { WAITING, RUNNING, PAUSED, SUCCEEDED, FAILED } = STORED_STATUS;
const HOUR_MS = 3_600_000;

function ended(endedAt: number, changes: Partial<JobRecord> = {}): Partial<JobRecord> {
  return { status: SUCCEEDED, claim: 1, at: farEnd(endedAt), endedAt, ...changes };
}

async function remaining(under: StoreUnderTest, jobs: readonly JobRecord[]): Promise<number[]> {
  return [...(await under.store.readJobs(jobs.map(({ id }) => id))).keys()].sort((a, b) => a - b);
}

async function resultsOf(under: StoreUnderTest, jobId: number): Promise<string[]> {
  const { items } = await under.store.listResults({ jobId }, { before: null, limit: 100 });
  return items.map(({ claim, late }) => (late ? `${claim} late` : `${claim}`));
}

async function endedIds(under: StoreUnderTest, classId: number, endedBy: number, limit: number) {
  const ids: number[] = [];
  let after: Cursor | null = null;
  do {
    const page = await under.store.pageEnded({ classId, after, endedBy, limit });
    expect(page.jobs.length).toBeLessThanOrEqual(limit);
    ids.push(...page.jobs.map((one) => one.id));
    after = page.next;
  } while (after !== null);
  return ids;
}

describeStores("jobs that have ended", (get) => {
  test.each([1, 3, 100])("are found in the order in which they did, %i at a time", async (limit) => {
    const under = get();
    const classId = 200 + limit;
    const jobs = await addJobs(under, 12, (index) => ({
      ...ended(NOW - index * HOUR_MS, { status: index % 2 === 0 ? SUCCEEDED : FAILED }),
      classId,
    }));
    await addJobs(under, 3, (index) => ({
      classId,
      status: [WAITING, RUNNING, PAUSED][index] ?? WAITING,
      at: index === 2 ? NEVER : NOW - 100 * HOUR_MS,
    }));
    const oldest = jobs.map(({ id }) => id).reverse();
    expect(await endedIds(under, classId, NOW, limit)).toEqual(oldest);
    expect(await endedIds(under, classId, NOW - 6 * HOUR_MS, limit)).toEqual(oldest.slice(0, 6));
    expect(await endedIds(under, classId, 0, limit)).toEqual([]);
  });

  test("go only while they still have that status and age", async () => {
    const under = get();
    const jobs = await addJobs(under, 6, (index) => {
      if (index === 0) return ended(NOW - 5 * HOUR_MS);
      if (index === 1) return ended(NOW - 5 * HOUR_MS, { status: FAILED });
      if (index === 2) return ended(NOW - HOUR_MS);
      if (index === 3) return { status: WAITING, at: NOW - 5 * HOUR_MS };
      if (index === 4) return { status: PAUSED, at: NEVER };
      return ended(NOW - 5 * HOUR_MS);
    });
    const ids = jobs.map(({ id }) => id);
    const expired = { ids, statuses: [SUCCEEDED], endedBy: NOW - 2 * HOUR_MS };
    expect(await under.store.expireJobs(under.epoch, expired)).toBe(2);
    expect(await remaining(under, jobs)).toEqual(ids.slice(1, 5));
    expect(await under.store.expireJobs(under.epoch, expired)).toBe(0);
  });

  test("take the results of those that are gone with them, and no others", async () => {
    const under = get();
    const [gone, kept] = await addJobs(under, 2, () => ended(NOW - 5 * HOUR_MS, { claim: 3 }));
    if (gone === undefined || kept === undefined) throw new Error("no jobs");
    const rows = [gone, kept].flatMap(({ id }) => [1, 2, 3].map((claim) => result(id, claim)));
    await under.store.writeResults([...rows, result(gone.id, 2, { late: true })]);
    await under.store.expireJobs(under.epoch, { ids: [gone.id], statuses: [SUCCEEDED], endedBy: NOW });
    const ids = [gone.id, kept.id];
    expect(await under.store.expireResultsOfGone(under.epoch, ids, 2)).toBe(2);
    expect(await under.store.expireResultsOfGone(under.epoch, ids, 10)).toBeLessThan(10);
    expect(await resultsOf(under, gone.id)).toEqual([]);
    expect(await resultsOf(under, kept.id)).toEqual(["3", "2", "1"]);
    expect(await under.store.expireResultsOfGone(under.epoch, [], 10)).toBe(0);
  });

  test("stay when the epoch is over", async () => {
    const under = get();
    const jobs = await addJobs(under, 2, () => ended(NOW - 5 * HOUR_MS));
    const [first, second] = jobs;
    if (first === undefined || second === undefined) throw new Error("no jobs");
    const [orphan = 0] = await newIds(under, 1);
    await under.store.writeResults([result(orphan, 1), result(first.id, 1)]);
    const key = { key: `call:${orphan}`, jobId: second.id, expiresAt: NOW };
    await under.store.insertJobs(under.epoch, [job(orphan + 1_000_000)], [key]);
    const old = under.epoch;
    await under.depose();
    const ids = jobs.map(({ id }) => id);
    await expectCode(
      under.store.expireJobs(old, { ids, statuses: [SUCCEEDED], endedBy: NOW }),
      "stale_epoch",
    );
    await expectCode(under.store.expireResultsOfGone(old, [orphan], 10), "stale_epoch");
    await expectCode(
      under.store.expireResults(old, [{ jobId: first.id, claim: 1 }], Number.MAX_SAFE_INTEGER),
      "stale_epoch",
    );
    await expectCode(
      under.store.expireKeys(old, { after: null, expiredBy: NOW, limit: 1000 }),
      "stale_epoch",
    );
    expect(await remaining(under, jobs)).toEqual(ids);
    expect(await resultsOf(under, orphan)).toEqual(["1"]);
    expect(await resultsOf(under, first.id)).toEqual(["1"]);
    const epoch = await under.elect();
    expect((await readKeyIds(under.store, epoch, [key.key], NOW - 1)).size).toBe(1);
  });
});

describeStores("ages of results", (get) => {
  test("are read with the claim before the newest while that runs", async () => {
    const under = get();
    const [running] = await addJobs(under, 1, () => ({ claim: 3, status: STORED_STATUS.RUNNING }));
    if (running === undefined) throw new Error("no job");
    await under.store.writeResults([1, 2].map((claim) => result(running.id, claim)));
    const page = await under.store.pageResultAges({ jobId: running.id - 1, claim: 1_000 }, 100);
    expect(page.rows.map((row) => `${row.claim} ${row.newestEnded}`)).toEqual(["1 2", "2 2"]);
  });

  test.each([2, 3, 5, 100])("are read with their job's newest claim, %i at a time", async (limit) => {
    const under = get();
    const [recurring, other] = await addJobs(under, 2, (index) => ({ claim: index === 0 ? 4 : 1 }));
    if (recurring === undefined || other === undefined) throw new Error("no jobs");
    const [orphan = 0] = await newIds(under, 1);
    await under.store.writeResults([
      ...[1, 2, 3, 4].map((claim) => result(recurring.id, claim, { endTime: NOW + claim })),
      result(recurring.id, 2, { late: true, outcome: OUTCOME.FAILED }),
      result(other.id, 1),
      result(orphan, 7),
    ]);
    const seen: string[] = [];
    let after: ClaimRef | null = { jobId: recurring.id - 1, claim: 1_000 };
    do {
      const page = await under.store.pageResultAges(after, limit);
      expect(page.rows.length).toBeLessThanOrEqual(limit);
      seen.push(...page.rows.map((row) => `${row.jobId}/${row.claim} ${row.outcome} ${row.newestEnded}`));
      after = page.next;
    } while (after !== null);
    const expected = [
      `${recurring.id}/1 1 4`,
      `${recurring.id}/2 1 4`,
      `${recurring.id}/2 2 4`,
      `${recurring.id}/3 1 4`,
      `${recurring.id}/4 1 4`,
      `${other.id}/1 1 1`,
      `${orphan}/7 1 null`,
    ];
    expect(seen).toEqual(expected);
  });

  test("both rows of a claim go, those that are old enough", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    await under.store.writeResults([
      result(id, 1, { endTime: NOW }),
      result(id, 1, { late: true, endTime: NOW + 1 }),
      result(id, 2, { endTime: NOW }),
      result(id, 2, { late: true, endTime: NOW + HOUR_MS }),
      result(id, 3, { endTime: NOW }),
    ]);
    const claims = [1, 2].map((claim) => ({ jobId: id, claim }));
    expect(await under.store.expireResults(under.epoch, claims, NOW + 1)).toBe(3);
    expect(await resultsOf(under, id)).toEqual(["3", "2 late"]);
  });
});

describeStores("keys", (get) => {
  test.each([1, 2, 100])("go when they hold nothing any more, %i at a time", async (limit) => {
    const under = get();
    const [there] = await addJobs(under, 1);
    if (there === undefined) throw new Error("no job");
    const [id = 0, gone = 0] = await newIds(under, 2);
    const key = (name: string, jobId: number, expiresAt: number) => ({
      key: `${name}:${limit}`,
      jobId,
      expiresAt,
    });
    const kept = [
      key("job:kept", id, NEVER),
      key("job:for a while", id, NOW + HOUR_MS),
      key("call:of a job that is gone", gone, NOW + HOUR_MS),
      key("child:1:2", id, NOW + 1),
    ];
    const free = [
      key("job:of a job that is gone", gone, NEVER),
      key("job:gone and not expired", gone, NOW + HOUR_MS),
      key("job:expired", id, NOW),
      key("call:expired", gone, NOW - HOUR_MS),
    ];
    await under.store.insertJobs(under.epoch, [job(id)], [...kept, ...free]);
    let after: string | null = null;
    let removed = 0;
    do {
      const page = await under.store.expireKeys(under.epoch, { after, expiredBy: NOW, limit });
      removed += page.removed;
      after = page.next;
    } while (after !== null);
    expect(removed).toBe(free.length);
    // Inserting them again fails where one is still there.
    const [another = 0] = await newIds(under, 1);
    await under.store.insertJobs(under.epoch, [job(another)], free);
    for (const one of kept) {
      const [next = 0] = await newIds(under, 1);
      await expectCode(under.store.insertJobs(under.epoch, [job(next)], [one]), "key_taken");
    }
    await under.store.freeKeys(
      under.epoch,
      [...kept, ...free].map((one) => ({ key: one.key, jobId: one.jobId })),
    );
  });
});
