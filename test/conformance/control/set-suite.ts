/** What PutJobSet does to a set's jobs. */
import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ElasticJobError } from "../../../src/core/errors.ts";
import { STORED_STATUS } from "../../../src/core/job.ts";
import { PutJobSetRequestSchema } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import type { JobApi } from "../../../src/master/job-api.ts";
import { describeSet } from "../../../src/rpc/conversion/put-set-request.ts";
import type { JobStore } from "../../../src/store/job-store.ts";
import { startMaster, startMastership, type TestMaster } from "../../fixtures/test-master.ts";

type Jobs = Readonly<Record<string, JsonObject>>;
interface Options {
  readonly generation?: number;
  readonly keepMissing?: boolean;
}

const cron = (expression: string, more: JsonObject = {}): JsonObject => ({
  handler: "work",
  cron: { expression },
  ...more,
});

export function describeSets(name: string, open: () => Promise<JobStore>): void {
  describe(`putting sets of jobs on ${name}`, () => {
    let master: TestMaster;
    let sets = 0;
    beforeAll(async () => {
      master = await startMaster(await open());
    });
    afterAll(() => master.close());

    const newSet = () => `set-${++sets}`;
    async function put(set: string, jobs: Jobs, options: Options = {}, api: JobApi = master.api) {
      const json = { set, ...options, jobs: Object.entries(jobs).map(([of, job]) => ({ name: of, job })) };
      const request = fromJson(PutJobSetRequestSchema, json as JsonValue);
      const { isApplied, generation, outcomes } = await api.putSet(
        describeSet(request, () => api.clusterTime()),
      );
      const done = Object.fromEntries(
        outcomes.map((one) => [one.name, "kind" in one.outcome ? one.outcome.kind : one.outcome.code]),
      );
      return { isApplied, generation, done };
    }
    /** The jobs that there are of a set, by their names in it. */
    async function jobsOf(set: string) {
      const { items } = await master.store.listJobs({}, { before: null, limit: 1000 });
      const own = items.filter(({ spec }) => spec.idempotencyKey?.startsWith(`${set}/`));
      return new Map(own.map((job) => [job.spec.idempotencyKey?.slice(set.length + 1), job]));
    }

    test("creates, leaves alone, updates and deletes, and says which", async () => {
      const set = newSet();
      const first = { a: cron("0 1 * * *"), b: cron("0 2 * * *"), c: cron("0 3 * * *") };
      expect((await put(set, first)).done).toEqual({ a: "created", b: "created", c: "created" });
      expect((await put(set, first)).done).toEqual({ a: "unchanged", b: "unchanged", c: "unchanged" });
      const second = { a: cron("0 1 * * *"), b: cron("0 2 * * *", { priority: 3 }), d: cron("0 4 * * *") };
      const { done, isApplied, generation } = await put(set, second);
      expect(done).toEqual({ a: "unchanged", b: "updated", d: "created", c: "deleted" });
      expect({ isApplied, generation }).toEqual({ isApplied: true, generation: null });
      expect([...(await jobsOf(set)).keys()].toSorted()).toEqual(["a", "b", "d"]);
      expect((await put(set, {})).done).toEqual({ a: "deleted", b: "deleted", d: "deleted" });
      expect((await jobsOf(set)).size).toBe(0);
    });

    test("leaves other sets alone, and jobs of its names that are none of its own", async () => {
      const [set, other] = [newSet(), newSet()];
      await put(other, { a: cron("0 1 * * *") });
      await put(set, { a: cron("0 1 * * *") });
      await put(set, {});
      expect((await jobsOf(other)).size).toBe(1);
    });

    test("an operator's pause stays, and so does the next run", async () => {
      const set = newSet();
      await put(set, { a: cron("0 1 * * *"), b: { handler: "work", interval: { every: "3600s" } } });
      const before = await jobsOf(set);
      await master.api.pauseJob(before.get("a")?.id ?? 0);
      await put(set, {
        a: cron("0 1 * * *", { payload: 1 }),
        b: { handler: "work", interval: { every: "3600s" } },
      });
      const after = await jobsOf(set);
      expect(after.get("a")).toMatchObject({ status: STORED_STATUS.PAUSED, revision: 2 });
      expect(after.get("b")).toMatchObject({ at: before.get("b")?.at, revision: 0 });
    });

    test("what is missing is kept where that is asked for, until it is not", async () => {
      const set = newSet();
      await put(set, { a: cron("0 1 * * *"), b: cron("0 2 * * *") });
      expect((await put(set, { a: cron("0 1 * * *") }, { keepMissing: true })).done).toEqual({
        a: "unchanged",
      });
      expect((await jobsOf(set)).size).toBe(2);
      expect((await put(set, { a: cron("0 1 * * *") })).done).toEqual({ a: "unchanged", b: "deleted" });
    });

    test("an older generation changes nothing, and is told which one is there", async () => {
      const set = newSet();
      const [old, young] = [{ a: cron("0 1 * * *") }, { a: cron("0 2 * * *"), b: cron("0 3 * * *") }];
      expect(await put(set, old, { generation: 7 })).toMatchObject({ isApplied: true, generation: 7 });
      expect(await put(set, young, { generation: 8 })).toMatchObject({
        done: { a: "updated", b: "created" },
      });
      const ignored = { isApplied: false, generation: 8, done: {} };
      expect(await put(set, old, { generation: 7 })).toEqual(ignored);
      // None is older than any.
      expect(await put(set, old)).toEqual(ignored);
      expect(await put(set, young, { generation: 8 })).toMatchObject({
        done: { a: "unchanged", b: "unchanged" },
      });
      expect((await jobsOf(set)).size).toBe(2);
    });

    test("a rolling deploy, in which nodes of both generations start in turns, ends with the new one", async () => {
      const set = newSet();
      const old = { a: cron("0 1 * * *"), gone: cron("0 5 * * *") };
      const young = { a: cron("0 2 * * *"), b: cron("0 3 * * *") };
      await put(set, old, { generation: 1 });
      const all = await Promise.all(
        [1, 2, 1, 2, 2, 1, 1, 2].map((generation) =>
          put(set, generation === 1 ? old : young, { generation }),
        ),
      );
      expect(all.map(({ isApplied }) => isApplied)).toContain(false);
      const jobs = await jobsOf(set);
      expect([...jobs.keys()].toSorted()).toEqual(["a", "b"]);
      expect(jobs.get("a")).toMatchObject({ revision: 1, spec: { schedule: { expression: "0 2 * * *" } } });
    });

    test("ten at once make one of each", async () => {
      const set = newSet();
      const jobs = Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`j${index}`, cron("0 1 * * *")]),
      );
      const all = await Promise.all(Array.from({ length: 10 }, () => put(set, jobs, { generation: 1 })));
      const created = all.flatMap(({ done }) => Object.values(done)).filter((kind) => kind === "created");
      expect(created).toHaveLength(50);
      expect((await jobsOf(set)).size).toBe(50);
    });

    test("a job that can't be is told by its name; the others are put, and it is not deleted for it", async () => {
      const set = newSet();
      await put(set, { a: cron("0 1 * * *") });
      const wrong = { a: cron("* *"), b: cron("0 2 * * *"), c: { cron: { expression: "0 3 * * *" } } };
      expect((await put(set, wrong)).done).toEqual({
        a: "invalid_argument",
        b: "created",
        c: "invalid_argument",
      });
      expect([...(await jobsOf(set)).keys()].toSorted()).toEqual(["a", "b"]);
    });

    test("is refused as a whole for its name, its generation, and names that are none or come twice", async () => {
      await expect(put("", {})).rejects.toThrow("set: is required");
      await expect(put("a/b", {})).rejects.toThrow(`set: "a/b" is no set's name`);
      await expect(put("a", {}, { generation: -1 })).rejects.toThrow(
        "generation: is -1; 0 to 9007199254740991",
      );
      await expect(put("a", { "b c": {} })).rejects.toThrow(`jobs[0].name: "b c" is no name of a job`);
      const twice = { set: "a", jobs: [{ name: "b" }, { name: "b" }] };
      const request = fromJson(PutJobSetRequestSchema, twice);
      expect(() => describeSet(request, Date.now)).toThrow(
        `jobs[1].name: "b" is another job's of the set, too`,
      );
    });

    test("what a master left undone in the middle, the next one that is asked does", async () => {
      const set = newSet();
      await put(set, { a: cron("0 1 * * *"), gone: cron("0 2 * * *") }, { generation: 1 });
      // It dies before it has deleted anything.
      const dying: JobStore = {
        ...master.store,
        deleteJob: () => Promise.reject(new ElasticJobError("unavailable", "it dies here")),
      };
      const first = await startMastership(dying);
      const young = { a: cron("0 3 * * *"), b: cron("0 4 * * *") };
      await expect(put(set, young, { generation: 2 }, first.api)).rejects.toMatchObject({
        code: "unavailable",
      });
      first.end.abort();
      const next = await startMastership(master.store);
      try {
        // A node of the old generation comes first: it is refused already.
        expect(await put(set, {}, { generation: 1 }, next.api)).toMatchObject({ isApplied: false });
        expect(await put(set, young, { generation: 2 }, next.api)).toMatchObject({
          done: { gone: "deleted" },
        });
        expect([...(await jobsOf(set)).keys()].toSorted()).toEqual(["a", "b"]);
      } finally {
        next.end.abort();
      }
    });
  });
}
