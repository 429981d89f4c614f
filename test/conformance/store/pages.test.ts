import { expect, test } from "vitest";
import { type JobRecord, NEVER, OUTCOME } from "../../../src/core/job.ts";
import type { Cursor, JobFilter, ResultFilter, ResultKey } from "../../../src/store/job-store.ts";
import {
  addJobs,
  describeStores,
  NOW,
  newIds,
  result,
  type StoreUnderTest,
  spec,
} from "../../fixtures/store-fixture.ts";

async function allPages(under: StoreUnderTest, classId: number, limit: number, through = NEVER) {
  const jobs: JobRecord[] = [];
  let after: Cursor | null = null;
  do {
    const page = await under.store.pageJobs({ classId, after, through, limit, maxPayloadBytes: 1_000 });
    jobs.push(...page.jobs.map((one) => one.record));
    after = page.next;
  } while (after !== null);
  return jobs;
}

async function allJobs(under: StoreUnderTest, filter: JobFilter, limit: number) {
  const ids: number[] = [];
  let before: number | null = null;
  do {
    const page = await under.store.listJobs(filter, { before, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    ids.push(...page.items.map((one) => one.id));
    before = page.next;
  } while (before !== null);
  return ids;
}

async function allResults(under: StoreUnderTest, filter: ResultFilter, limit: number) {
  const keys: ResultKey[] = [];
  let before: ResultKey | null = null;
  do {
    const page = await under.store.listResults(filter, { before, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    keys.push(...page.items.map(({ jobId, claim, late }) => ({ jobId, claim, late })));
    before = page.next;
  } while (before !== null);
  return keys;
}

describeStores("pages of the hot index", (get) => {
  test.each([1, 2, 3, 7, 100])(
    "give each unfinished job of the class once, in order, %i at a time",
    async (limit) => {
      const under = get();
      const classId = 100 + limit;
      const jobs = await addJobs(under, 30, (index) => ({
        classId: index % 5 === 4 ? 99 : classId,
        at: NOW + (index % 3),
        status: index % 7 === 6 ? 4 : index % 2 === 0 ? 1 : 3,
      }));
      const wanted = jobs
        .filter((one) => one.classId === classId && one.status !== 4)
        .sort((a, b) => a.at - b.at || a.id - b.id);
      expect(await allPages(under, classId, limit)).toEqual(wanted);
      expect(await allPages(under, classId, limit, NOW + 1)).toEqual(
        wanted.filter((one) => one.at <= NOW + 1),
      );
    },
  );

  test("leave out payloads that are too large, and say so", async () => {
    const under = get();
    const payloads = [null, '"small"', JSON.stringify("ü".repeat(600))];
    await addJobs(under, 3, (index) => ({ classId: 250, spec: spec({ payload: payloads[index] ?? null }) }));
    const { jobs } = await under.store.pageJobs({
      classId: 250,
      after: null,
      through: NOW,
      limit: 10,
      maxPayloadBytes: 1_000,
    });
    expect(jobs.map((one) => [one.record.spec.payload, one.payloadLoaded])).toEqual([
      [null, true],
      ['"small"', true],
      [null, false],
    ]);
  });
});

describeStores("lists of jobs", (get) => {
  test.each([1, 4, 1000])("give each matching job once, newest first, %i at a time", async (limit) => {
    const under = get();
    // A handler of its own sets this run's jobs apart.
    const handler = `list-${limit}`;
    const classId = 300 + limit;
    await under.store.addClass(under.epoch, { id: classId, handler, labels: {} });
    const statuses = [1, 3, 4, 5, 6, 7] as const;
    const jobs = await addJobs(under, 24, (index) => ({
      classId,
      status: statuses[index % 6] ?? 1,
      at: NOW + index,
      spec: spec({ handler, name: index % 2 === 0 ? `Ab ${index}` : `ab${index}` }),
    }));
    const matching = (filter: (one: JobRecord) => boolean) =>
      jobs
        .filter(filter)
        .map((one) => one.id)
        .reverse();
    expect(await allJobs(under, { handler }, limit)).toEqual(matching(() => true));
    expect(await allJobs(under, { handler, status: 3 }, limit)).toEqual(matching((one) => one.status === 3));
    expect(await allJobs(under, { handler, status: 1, dueBy: NOW + 6 }, limit)).toEqual(
      matching((one) => one.status === 1 && one.at <= NOW + 6),
    );
    expect(await allJobs(under, { handler, status: 1, dueAfter: NOW + 6 }, limit)).toEqual(
      matching((one) => one.status === 1 && one.at > NOW + 6),
    );
    expect(await allJobs(under, { handler, namePrefix: "Ab " }, limit)).toEqual(
      matching((one) => one.spec.name.startsWith("Ab ")),
    );
    expect(await allJobs(under, { handler: `${handler} ` }, limit)).toEqual([]);
    expect(await under.store.countJobs({ handler }, 10_000)).toBe(24);
    expect(await under.store.countJobs({ handler, status: 3 }, 3)).toBe(3);
  });

  test("compare names byte by byte, wildcards too", async () => {
    const under = get();
    const names = ["Käse", "käse", "ka\u0308se", "50%", "50x", "a_b", "axb", "pad", "pad "];
    const jobs = await addJobs(under, names.length, (index) => ({
      spec: spec({ name: names[index] ?? "" }),
    }));
    const namesWith = async (namePrefix: string) => {
      const ids = await allJobs(under, { namePrefix }, 100);
      return jobs.filter((one) => ids.includes(one.id)).map((one) => one.spec.name);
    };
    expect(await namesWith("Kä")).toEqual(["Käse"]);
    expect(await namesWith("kä")).toEqual(["käse"]);
    expect(await namesWith("50%")).toEqual(["50%"]);
    expect(await namesWith("a_")).toEqual(["a_b"]);
    expect(await namesWith("pad ")).toEqual(["pad "]);
    expect(await namesWith("pad")).toEqual(["pad", "pad "]);
  });

  test("end a page early when the payloads are large", async () => {
    const under = get();
    const payload = JSON.stringify("x".repeat(1_500_000));
    const jobs = await addJobs(under, 6, () => ({ spec: spec({ name: "large", payload }) }));
    const page = await under.store.listJobs({ namePrefix: "large" }, { before: null, limit: 100 });
    expect(page.items).toHaveLength(2);
    expect(await allJobs(under, { namePrefix: "large" }, 100)).toEqual(jobs.map((one) => one.id).reverse());
  });

  test("scan a bounded number of rows, and give an empty page with a next one", async () => {
    const under = get();
    const [needle] = await addJobs(under, 1, () => ({ spec: spec({ name: "needle" }) }));
    for (let batch = 0; batch < 6; batch++) await addJobs(under, 1000);
    const page = await under.store.listJobs({ namePrefix: "needle" }, { before: null, limit: 10 });
    expect(page.items).toEqual([]);
    expect(page.next).not.toBeNull();
    expect(await allJobs(under, { namePrefix: "needle" }, 10)).toEqual([needle?.id]);
  });
});

describeStores("lists of results", (get) => {
  test.each([1, 2, 3, 5, 1000])(
    "give each row once, the final before the late one, %i at a time",
    async (limit) => {
      const under = get();
      const ids = await newIds(under, 4);
      const first = ids[0] ?? 0;
      const keys: ResultKey[] = [];
      for (const jobId of ids.toReversed()) {
        for (const claim of [3, 2, 1]) {
          keys.push({ jobId, claim, late: false });
          if ((jobId + claim) % 2 === 0) keys.push({ jobId, claim, late: true });
        }
      }
      const rows = keys.map(({ jobId, claim, late }) =>
        result(jobId, claim, { late, outcome: claim === 2 ? OUTCOME.FAILED : OUTCOME.SUCCEEDED }),
      );
      await under.store.writeResults(rows);
      const all = (await allResults(under, {}, limit)).filter((key) => key.jobId >= first);
      expect(all).toEqual(keys);
      expect(await allResults(under, { jobId: first }, limit)).toEqual(
        keys.filter((key) => key.jobId === first),
      );
      expect(await allResults(under, { jobId: first, outcome: OUTCOME.FAILED }, limit)).toEqual(
        keys.filter((key) => key.jobId === first && key.claim === 2),
      );
    },
  );

  test("end a page early when the outputs are large", async () => {
    const under = get();
    const [id = 0] = await newIds(under, 1);
    const output = JSON.stringify("x".repeat(1_500_000));
    await under.store.writeResults([1, 2, 3, 4, 5].map((claim) => result(id, claim, { output })));
    const page = await under.store.listResults({ jobId: id }, { before: null, limit: 100 });
    expect(page.items.map((row) => row.claim)).toEqual([5, 4]);
    expect((await allResults(under, { jobId: id }, 100)).map((key) => key.claim)).toEqual([5, 4, 3, 2, 1]);
  });

  test("scan a bounded number of rows, and give an empty page with a next one", async () => {
    const under = get();
    const ids = await newIds(under, 6001);
    await under.store.writeResults(
      ids.map((id, index) => result(id, 1, { outcome: index === 0 ? OUTCOME.TIMED_OUT : OUTCOME.SUCCEEDED })),
    );
    const page = await under.store.listResults({ outcome: OUTCOME.TIMED_OUT }, { before: null, limit: 10 });
    expect(page.items).toEqual([]);
    expect(page.next).not.toBeNull();
    expect(await allResults(under, { outcome: OUTCOME.TIMED_OUT }, 10)).toEqual([
      { jobId: ids[0], claim: 1, late: false },
    ]);
  });
});
