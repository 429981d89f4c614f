import { expect, test } from "vitest";
import { type JobRecord, NEVER, OUTCOME, type Schedule } from "../../../src/core/job.ts";
import {
  addJobs,
  addRunning,
  describeStores,
  expectCode,
  job,
  NOW,
  newIds,
  result,
  spec,
} from "../../fixtures/store-fixture.ts";

describeStores("jobs", (get) => {
  test("come back as they were stored", async () => {
    const under = get();
    const schedules: Schedule[] = [
      { kind: "immediate" },
      { kind: "timed", runAt: NEVER - 1 },
      { kind: "daily", secondOfDay: 86_399, timeZone: "Asia/Shanghai", gap: "skip", fold: "both" },
      { kind: "cron", expression: "*/5 * * * *", timeZone: "UTC" },
    ];
    const ids = await newIds(under, schedules.length);
    const jobs = schedules.map((schedule, index) =>
      job(ids[index] ?? 0, {
        at: NEVER - 1 - index,
        scheduledAt: -5,
        claim: 4_294_967_295,
        attempt: 2_147_483_647,
        failures: 3,
        lost: 4,
        endedAt: NEVER - 3,
        revision: 5,
        node: 6,
        parentId: NEVER,
        createTime: 1,
        updateTime: NEVER,
        spec: spec({
          schedule,
          name: "näme 名 🚀 ",
          payload: JSON.stringify({ text: 'quotes " and \\ and \u0000 \u2028 🚀', n: 1.5 }),
          priority: -100 + index,
          timeoutMs: 30_000,
          misfire: "all",
          overlap: "allow",
          bounds: { startAt: -1, endAt: NEVER, maxOccurrences: 3, lastAt: NEVER },
          jitterMs: 5,
          deadlineMs: 6,
          keyLife: 7,
          startsAt: 8,
          isPausing: true,
          resumedAt: 9,
          requirements: { slots: 2, memoryMb: 64, labels: { gpu: "true", "k'ey": 'v"alue' } },
          idempotencyKey: "order-42'; DROP TABLE jobinfo; --",
        }),
      }),
    );
    await under.store.insertJobs(under.epoch, jobs, []);
    expect(await under.other.readJobs(ids)).toEqual(new Map(jobs.map((one) => [one.id, one])));
  });

  test("are found near the largest id there can be", async () => {
    const under = get();
    const jobs = [job(NEVER), job(NEVER - 1)];
    await under.store.insertJobs(under.epoch, jobs, []);
    expect(await under.store.readJobs([NEVER - 1])).toEqual(new Map([[NEVER - 1, jobs[1]]]));
    const claimed = await under.store.claimJobs(
      under.epoch,
      1,
      [
        { jobId: NEVER, claim: 1, revision: 1 },
        { jobId: NEVER - 1, claim: 2, revision: 1 },
      ],
      NOW,
    );
    expect(claimed).toBe(1);
    for (const id of [NEVER, NEVER - 1]) {
      const stored = (await under.store.readJobs([id])).get(id) ?? job(0);
      expect(await under.store.deleteJob(under.epoch, id, stored)).toBe(true);
    }
  });

  test.each([1, 7, 9, 100, 1000, 1025])("are added in batches of %i, all or none", async (count) => {
    const under = get();
    const jobs = await addJobs(under, count, (index) => ({ spec: spec({ payload: `${index}` }) }));
    const ids = jobs.map((one) => one.id);
    expect((await under.store.readJobs(ids)).size).toBe(count);
    const [more = 0] = await newIds(under, 1);
    // One of these ids is another job's.
    const clash = [...(count === 1 ? [] : [job(more)]), job(ids[0] ?? 0, { createTime: 5 })];
    await expectCode(under.store.insertJobs(under.epoch, clash, []), "internal");
    expect((await under.store.readJobs([more])).size).toBe(0);
  });

  test("are added once when the same call is repeated", async () => {
    const under = get();
    const jobs = await addRunning(under, 3);
    await under.store.insertJobs(under.epoch, jobs, []);
    const stored = await under.store.readJobs(jobs.map((one) => one.id));
    expect([...stored.values()].map((one) => one.claim)).toEqual([1, 1, 1]);
  });

  test("keep a payload of 1 MiB of any characters", async () => {
    const under = get();
    const payload = JSON.stringify("🚀'\\".repeat(150_000)).padEnd(1_048_576);
    const [one = job(0)] = await addJobs(under, 1, () => ({ spec: spec({ payload }) }));
    expect((await under.store.readJobs([one.id])).get(one.id)?.spec.payload === payload).toBe(true);
  });

  test("are refused with invalid_argument, all of them, when one value does not fit", async () => {
    const under = get();
    const [a = 0, b = 0] = await newIds(under, 2);
    const jobs = [job(a), job(b, { spec: spec({ name: "x".repeat(256) }) })];
    await expectCode(under.store.insertJobs(under.epoch, jobs, []), "invalid_argument");
    expect((await under.store.readJobs([a, b])).size).toBe(0);
  });

  test("change as the caller says, under their guard only", async () => {
    const under = get();
    const [one = job(0)] = await addJobs(under, 1);
    const guard = { claim: 0, revision: 1, status: 1 } as const;
    const row: JobRecord = {
      ...one,
      classId: 9,
      status: 4,
      at: NEVER,
      scheduledAt: 7,
      attempt: 8,
      failures: 9,
      lost: 10,
      endedAt: 11,
      revision: 2,
      updateTime: NOW + 1,
      spec: spec({ name: "other", payload: "{}", priority: 50, handler: "sleep", timeoutMs: 5 }),
    };
    for (const wrong of [{ claim: 1 }, { revision: 2 }, { status: 3 } as const]) {
      expect(
        await under.store.changeJob(under.epoch, { jobId: one.id, guard: { ...guard, ...wrong }, row }),
      ).toBe(false);
    }
    expect((await under.store.readJobs([one.id])).get(one.id)).toEqual(one);
    expect(await under.store.changeJob(under.epoch, { jobId: one.id, guard, row })).toBe(true);
    expect((await under.store.readJobs([one.id])).get(one.id)).toEqual(row);
    expect(await under.store.changeJob(under.epoch, { jobId: one.id, guard, row })).toBe(false);
  });

  test("leave what a claim or the insert set when they change", async () => {
    const under = get();
    const [one = job(0)] = await addRunning(under, 1, () => ({ parentId: 3 }));
    const guard = { claim: 1, revision: 1, status: 3 } as const;
    const row = {
      ...one,
      status: 3,
      revision: 2,
      claim: 99,
      node: 99,
      parentId: 99,
      createTime: 99,
    } as const;
    expect(await under.store.changeJob(under.epoch, { jobId: one.id, guard, row })).toBe(true);
    expect((await under.store.readJobs([one.id])).get(one.id)).toEqual({
      ...one,
      status: 3,
      revision: 2,
      claim: 1,
      node: 1,
    });
  });

  test("are deleted under their guard only, and their results stay", async () => {
    const under = get();
    const [one = job(0)] = await addRunning(under, 1);
    const row = { jobId: one.id, claim: 1 };
    await under.store.writeFinalRows(under.epoch, [
      result(row.jobId, row.claim, { outcome: OUTCOME.CANCELLED, reason: "deleted" }),
    ]);
    expect(await under.store.deleteJob(under.epoch, one.id, { claim: 0, revision: 1, status: 3 })).toBe(
      false,
    );
    expect(await under.store.deleteJob(under.epoch, one.id, { claim: 1, revision: 1, status: 3 })).toBe(true);
    expect(await under.store.deleteJob(under.epoch, one.id, { claim: 1, revision: 1, status: 3 })).toBe(
      false,
    );
    expect((await under.store.readJobs([one.id])).size).toBe(0);
    expect((await under.store.readFinalRows([row])).get(one.id)?.reason).toBe("deleted");
  });
});
