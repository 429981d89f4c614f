import { expect, test } from "vitest";
import { farEnd, NEVER } from "../../../src/core/job.ts";
import type { Projection } from "../../../src/store/job-store.ts";
import {
  addJobs,
  addRunning,
  describeStores,
  job,
  NOW,
  projection,
  readKeyIds,
  type StoreUnderTest,
} from "../../fixtures/store-fixture.ts";

async function stored(under: StoreUnderTest, id: number) {
  return (await under.store.readJobs([id])).get(id);
}

describeStores("claims and projections", (get) => {
  test("give a waiting job to a node, and leave its due time", async () => {
    const under = get();
    const [one = job(0)] = await addJobs(under, 1, () => ({ claim: 4, attempt: 2, endedAt: 77 }));
    expect(
      await under.store.claimJobs(under.epoch, 12, [{ jobId: one.id, claim: 5, revision: 1 }], NOW + 9),
    ).toBe(1);
    expect(await stored(under, one.id)).toEqual({
      ...one,
      status: 3,
      claim: 5,
      attempt: 3,
      node: 12,
      updateTime: NOW + 9,
    });
  });

  test("claim nothing twice, nor past a changed revision, claim or status", async () => {
    const under = get();
    const [a = job(0), b = job(0), c = job(0), d = job(0)] = await addJobs(under, 4, (index) => ({
      status: index === 3 ? 4 : 1,
    }));
    const claims = [
      { jobId: a.id, claim: 1, revision: 1 },
      { jobId: b.id, claim: 1, revision: 2 },
      { jobId: c.id, claim: 3, revision: 1 },
      { jobId: d.id, claim: 1, revision: 1 },
    ];
    expect(await under.store.claimJobs(under.epoch, 1, claims, NOW)).toBe(1);
    expect(await under.store.claimJobs(under.epoch, 2, claims, NOW)).toBe(0);
    const rows = await under.store.readJobs(claims.map((claim) => claim.jobId));
    expect(claims.map((claim) => rows.get(claim.jobId)?.node)).toEqual([1, 0, 0, 0]);
  });

  test.each([
    ["claim", { claim: 3, revision: 1 }],
    ["revision", { claim: 2, revision: 2 }],
  ])("claim nothing past a changed %s, all alike", async (_, stale) => {
    const under = get();
    const jobs = await addJobs(under, 2, () => ({ claim: 1 }));
    const claims = jobs.map(({ id }) => ({ jobId: id, ...stale }));
    expect(await under.store.claimJobs(under.epoch, 1, claims, NOW)).toBe(0);
    expect([...(await under.store.readJobs(jobs.map(({ id }) => id))).values()]).toEqual(jobs);
  });

  test("claim a large batch of mixed claim numbers in one call", async () => {
    const under = get();
    const jobs = await addJobs(under, 1100, (index) => ({ claim: index % 3 }));
    const claims = jobs.map((one) => ({ jobId: one.id, claim: one.claim + 1, revision: 1 })).reverse();
    expect(await under.store.claimJobs(under.epoch, 1, claims, NOW)).toBe(1100);
  });

  test("claim and project those asked for, and none between them", async () => {
    const under = get();
    const jobs = await addJobs(under, 100);
    const isAsked = (index: number) => index !== 7 && index < 90;
    const asked = jobs.filter((_, index) => isAsked(index));
    const claims = asked.map(({ id }) => ({ jobId: id, claim: 1, revision: 1 }));
    expect(await under.store.claimJobs(under.epoch, 3, claims, NOW)).toBe(89);
    const claimed = await under.store.readJobs(jobs.map(({ id }) => id));
    expect(jobs.map(({ id }) => claimed.get(id)?.node)).toEqual(
      jobs.map((_, index) => (isAsked(index) ? 3 : 0)),
    );
    const ended = asked.filter((_, index) => index !== 40);
    const ends = ended.map(({ id }) => projection(id, { status: 5, at: farEnd(NOW), updateTime: NOW }));
    expect(await under.store.projectJobs(ends)).toEqual(ended.map(() => true));
    const projected = await under.store.readJobs(jobs.map(({ id }) => id));
    const ids = new Set(ended.map(({ id }) => id));
    expect(jobs.filter(({ id }) => projected.get(id)?.status === 5).map(({ id }) => id)).toEqual([...ids]);
  });

  test("let one of two racing connections have each job", async () => {
    const under = get();
    const jobs = await addJobs(under, 50);
    const claims = jobs.map((one) => ({ jobId: one.id, claim: 1, revision: 1 }));
    const hits = await Promise.all([
      under.store.claimJobs(under.epoch, 1, claims, NOW),
      under.other.claimJobs(under.epoch, 2, claims.toReversed(), NOW),
      under.store.claimJobs(under.epoch, 3, claims.slice(20), NOW),
      under.other.claimJobs(under.epoch, 4, claims.slice(0, 30), NOW),
    ]);
    expect(hits.reduce((sum, one) => sum + one)).toBe(50);
    const rows = [...(await under.store.readJobs(jobs.map((one) => one.id))).values()];
    expect(rows.every((row) => row.claim === 1 && row.attempt === 1)).toBe(true);
    for (const [index, count] of hits.entries()) {
      expect(rows.filter((row) => row.node === index + 1)).toHaveLength(count);
    }
  });

  test("end a job", async () => {
    const under = get();
    const [one = job(0)] = await addRunning(under, 1);
    const at = farEnd(NOW + 20);
    const ended = projection(one.id, { at, endedAt: NOW + 20 });
    expect(await under.store.projectJobs([ended])).toEqual([true]);
    expect(await stored(under, one.id)).toEqual({
      ...one,
      status: 5,
      at,
      endedAt: NOW + 20,
      claim: 1,
      attempt: 1,
      node: 1,
      updateTime: NOW + 30,
    });
  });

  test("project a large batch of which each row changes in its own way", async () => {
    const under = get();
    const jobs = await addRunning(under, 1100);
    const projections = jobs.map((one, index) =>
      projection(one.id, {
        status: index % 2 === 0 ? 1 : 5,
        at: NEVER - index,
        scheduledAt: NEVER - 2 * index,
        attempt: index,
        failures: index,
        lost: index % 4,
        endedAt: index * 3,
        updateTime: NEVER,
      }),
    );
    const applied = await under.store.projectJobs(projections.toReversed(), under.epoch);
    expect(applied.every((one) => one)).toBe(true);
    const rows = await under.store.readJobs(jobs.map((one) => one.id));
    for (const { jobId, claim, revision, ...state } of projections) {
      expect(rows.get(jobId)).toMatchObject({ claim, revision, ...state });
    }
  });

  test("project some alike and some not, and say which applied", async () => {
    const under = get();
    const jobs = await addRunning(under, 60, (index) => ({ revision: index === 7 ? 2 : 1 }));
    const projections = jobs.map((one, index) =>
      projection(one.id, index < 30 ? {} : { at: NOW + index, status: 1 }),
    );
    const gone = jobs[40]?.id ?? 0;
    await under.store.deleteJob(under.epoch, gone, { claim: 1, revision: 1, status: 3 });
    const applied = await under.store.projectJobs(projections);
    expect(applied.flatMap((one, index) => (one ? [] : [index]))).toEqual([7, 40]);
  });

  test.each([15, 16, 17])("project %i alike among others, and all of the others", async (count) => {
    const under = get();
    const jobs = await addRunning(under, count + 3);
    const projections = jobs.map((one, index) =>
      projection(one.id, index < count ? {} : { at: NOW + index, status: 1 }),
    );
    expect(await under.store.projectJobs(projections)).toEqual(jobs.map(() => true));
    const rows = await under.store.readJobs(jobs.map(({ id }) => id));
    expect(jobs.map(({ id }) => rows.get(id)?.status)).toEqual(projections.map(({ status }) => status));
  });

  test("say of a repeated projection that it stands, and leave it", async () => {
    const under = get();
    const jobs = await addRunning(under, 2);
    const projections = jobs.map((one) => projection(one.id, { status: 1, at: NOW + 5 }));
    expect(await under.store.projectJobs(projections, under.epoch)).toEqual([true, true]);
    expect(await under.store.projectJobs(projections, under.epoch)).toEqual([true, true]);
    expect(await under.store.projectJobs([projection(jobs[0]?.id ?? 0)], under.epoch)).toEqual([false]);
  });

  test("project no job that is not running this claim", async () => {
    const under = get();
    const [a = job(0), b = job(0)] = await addRunning(under, 2);
    expect(
      await under.store.projectJobs([projection(a.id, { claim: 2 }), projection(b.id, { revision: 2 })]),
    ).toEqual([false, false]);
  });

  test.each([
    ["claim", { claim: 1 }, { claim: 3 }],
    ["revision", { claim: 1 }, { claim: 2, revision: 2 }],
    ["status", { claim: 2, status: 4 }, { claim: 2 }],
  ] as const)("project nothing past a changed %s, alike or not", async (name, before, asked) => {
    const under = get();
    const jobs =
      name === "status" ? await addJobs(under, 3, () => before) : await addRunning(under, 3, () => before);
    const ids = jobs.map(({ id }) => id);
    const rows = await under.store.readJobs(ids);
    for (const alike of [true, false]) {
      const projections = ids.map((id, index) =>
        projection(id, { ...asked, status: 1, at: alike ? NOW : NOW + index }),
      );
      expect(await under.store.projectJobs(projections)).toEqual([false, false, false]);
      expect(await under.store.projectJobs(projections, under.epoch)).toEqual([false, false, false]);
      expect(await under.store.readJobs(ids)).toEqual(rows);
    }
  });

  test("say of a projection that it stands only where it does in every column", async () => {
    const under = get();
    const [one = job(0)] = await addRunning(under, 1);
    const stands = projection(one.id, { status: 1, at: NOW + 5 });
    expect(await under.store.projectJobs([stands])).toEqual([true]);
    const names = (Object.keys(stands) as (keyof Projection)[]).filter((name) => name !== "jobId");
    const standing: string[] = [];
    for (const name of names) {
      const [isStanding] = await under.store.projectJobs([{ ...stands, [name]: stands[name] + 1 }]);
      if (isStanding) standing.push(name);
    }
    expect(standing).toEqual([]);
    expect(await under.store.projectJobs([stands])).toEqual([true]);
  });

  test("do nothing for empty batches", async () => {
    const { store, epoch } = get();
    expect(await store.claimJobs(epoch, 1, [], NOW)).toBe(0);
    expect(await store.projectJobs([], epoch)).toEqual([]);
    expect(await store.writeResults([])).toEqual([]);
    expect(await store.writeFinalRows(epoch, [])).toEqual([]);
    expect(await store.readFinalRows([])).toEqual(new Map());
    expect(await store.readJobs([])).toEqual(new Map());
    expect(await readKeyIds(store, epoch, [], NOW)).toEqual(new Map());
    await store.insertJobs(epoch, [], []);
  });
});
