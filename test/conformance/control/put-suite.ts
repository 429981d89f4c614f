/** What PutJob does to the job of a key, in every place where one can stand. */
import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type JobRecord, OUTCOME, STORED_STATUS } from "../../../src/core/job.ts";
import { AddJobRequestSchema } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import type { JobApi } from "../../../src/master/job-api.ts";
import { parseAddRequest } from "../../../src/rpc/conversion/add-request.ts";
import { describePut } from "../../../src/rpc/conversion/put-request.ts";
import type { JobStore } from "../../../src/store/job-store.ts";
import { startMaster, startMastership, type TestMaster } from "../../fixtures/test-master.ts";
import { until } from "../../fixtures/until.ts";

const { WAITING, RUNNING, PAUSED, SUCCEEDED } = STORED_STATUS;
const NIGHTLY = { handler: "work", cron: { expression: "0 3 * * *", timeZone: "Europe/Berlin" } };

export function describePuts(name: string, open: () => Promise<JobStore>): void {
  describe(`putting jobs on ${name}`, () => {
    let master: TestMaster;
    let keys = 0;
    beforeAll(async () => {
      master = await startMaster(await open());
    });
    afterAll(() => master.close());

    const newKey = () => `put ${++keys}`;
    async function put(key: string, job: JsonObject, api: JobApi = master.api) {
      const described = describePut(key, fromJson(AddJobRequestSchema, job), () => api.clusterTime());
      const done = await api.putJob(described);
      const id = done.kind === "created" ? done.added.jobId : done.view.record.id;
      return { kind: done.kind, id };
    }
    async function standing(id: number): Promise<JobRecord> {
      const record = (await master.store.readJobs([id])).get(id);
      if (record === undefined) throw new Error(`job ${id} is gone`);
      return record;
    }

    test("creates, leaves alone and updates, and says which", async () => {
      const key = newKey();
      const { id, kind } = await put(key, NIGHTLY);
      expect(kind).toBe("created");
      expect((await standing(id)).spec).toMatchObject({ idempotencyKey: key, keyLife: "kept" });
      // Defaults said, a payload with its keys in another order: the same.
      expect(await put(key, { ...NIGHTLY, priority: 0, name: "work" })).toEqual({ kind: "unchanged", id });
      expect(await standing(id)).toMatchObject({ revision: 0 });
      expect(await put(key, { ...NIGHTLY, payload: { a: 1, b: 2 } })).toEqual({ kind: "updated", id });
      expect(await put(key, { ...NIGHTLY, payload: { b: 2, a: 1 } })).toEqual({ kind: "unchanged", id });
      // What is left out takes its default.
      expect(await put(key, NIGHTLY)).toEqual({ kind: "updated", id });
      expect(await standing(id)).toMatchObject({ revision: 2, spec: { payload: null } });
    });

    test("compares with the job as it stands, not with what it was put as", async () => {
      const key = newKey();
      const { id } = await put(key, NIGHTLY);
      await master.api.updateJob(id, null, (spec) => ({ ...spec, priority: 9 }));
      expect(await put(key, NIGHTLY)).toEqual({ kind: "updated", id });
      expect(await standing(id)).toMatchObject({ revision: 2, spec: { priority: 0 } });
    });

    test("an operator's pause stays, through a new schedule too", async () => {
      const key = newKey();
      const { id } = await put(key, NIGHTLY);
      await master.api.pauseJob(id);
      expect(await put(key, NIGHTLY)).toEqual({ kind: "unchanged", id });
      expect(await put(key, { handler: "work", daily: { at: "04:00" } })).toEqual({
        kind: "updated",
        id,
      });
      expect(await standing(id)).toMatchObject({ status: PAUSED, spec: { isPausing: true } });
    });

    test("the next run stays where the schedule does, and is found anew where that changes", async () => {
      const key = newKey();
      const every = { handler: "work", interval: { every: "7200s" }, jitter: "600s", maxOccurrences: 9 };
      const { id } = await put(key, every);
      const { at, scheduledAt, spec } = await standing(id);
      expect(await put(key, every)).toEqual({ kind: "unchanged", id });
      expect(await put(key, { ...every, priority: 4, retry: { maxAttempts: 2 } })).toEqual({
        kind: "updated",
        id,
      });
      const { schedule, bounds } = spec;
      expect(await standing(id)).toMatchObject({ at, scheduledAt, spec: { schedule, bounds, priority: 4 } });
      await put(key, { ...every, interval: { every: "3600s" } });
      expect((await standing(id)).scheduledAt).toBeLessThan(scheduledAt);
    });

    test("a running attempt goes on with the old fields, and the next one has the new", async () => {
      const key = newKey();
      const { id } = await put(key, { handler: "work", interval: { every: "1s" }, priority: 50 });
      const assignment = await master.node.take(id);
      expect(await put(key, { handler: "work", interval: { every: "1s" }, payload: 7 })).toMatchObject({
        kind: "updated",
      });
      expect(await standing(id)).toMatchObject({ status: RUNNING, claim: assignment.claim });
      await master.node.finish(assignment, OUTCOME.SUCCEEDED);
      expect(await master.node.take(id, assignment.claim + 1)).toMatchObject({ payload: "7" });
      await master.api.deleteJob(id);
    });

    test("a job that has ended stays so, unless it is given another schedule", async () => {
      const key = newKey();
      const once = { handler: "work", timed: { runAt: "2020-01-01T00:00:00Z" } };
      const { id } = await put(key, once);
      await master.node.finish(await master.node.take(id), OUTCOME.SUCCEEDED);
      await until("it has ended", async () => (await standing(id)).status === SUCCEEDED);
      expect(await put(key, once)).toEqual({ kind: "unchanged", id });
      expect(await put(key, { ...once, priority: 3 })).toEqual({ kind: "updated", id });
      expect(await standing(id)).toMatchObject({ status: SUCCEEDED });
      expect(await put(key, { handler: "work", timed: { runAt: "2099-01-01T00:00:00Z" } })).toEqual({
        kind: "updated",
        id,
      });
      expect(await standing(id)).toMatchObject({ status: WAITING, at: Date.parse("2099-01-01") });
    });

    test("an end that has passed since is no reason to refuse what has not changed", async () => {
      const key = newKey();
      const endAt = new Date(Date.now() + 300).toISOString();
      const brief = { handler: "work", interval: { every: "3600s", anchor: endAt }, endAt };
      const { id } = await put(key, brief);
      await until("its end has passed", () => Date.now() > Date.parse(endAt));
      expect(await put(key, brief)).toEqual({ kind: "unchanged", id });
      await expect(put(newKey(), brief)).rejects.toMatchObject({ code: "invalid_argument" });
    });

    test("a job that was deleted is created again", async () => {
      const key = newKey();
      const { id } = await put(key, NIGHTLY);
      await master.api.deleteJob(id);
      const again = await put(key, NIGHTLY);
      expect(again.kind).toBe("created");
      expect(again.id).not.toBe(id);
    });

    test("ten at once, and adds under the same key among them, make one job", async () => {
      const key = newKey();
      const add = async () => {
        const request = fromJson(AddJobRequestSchema, { ...NIGHTLY, idempotencyKey: key });
        const { parsed, asked } = parseAddRequest(request, Date.now());
        if (!("schedule" in parsed)) throw new Error("not accepted");
        const [added] = await master.api.addJobs([{ spec: parsed, asked }], null);
        if (added === undefined || added instanceof Error) throw added ?? new Error("no outcome");
        return { kind: added.created ? "created" : "there", id: added.jobId };
      };
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, index) => (index % 3 === 2 ? add() : put(key, NIGHTLY))),
      );
      expect(new Set(all.map(({ id }) => id)).size).toBe(1);
      expect(all.filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(all.filter(({ kind }) => kind === "updated")).toEqual([]);
    });

    test("takes over a job that was added under the key, and its key's life with it", async () => {
      const key = newKey();
      const fields = { ...NIGHTLY, idempotencyKey: key, keyLife: "KEY_LIFE_UNFINISHED", priority: 2 };
      const { parsed, asked } = parseAddRequest(fromJson(AddJobRequestSchema, fields), Date.now());
      if (!("schedule" in parsed)) throw new Error("not accepted");
      await master.api.addJobs([{ spec: parsed, asked }], null);
      const { kind, id } = await put(key, NIGHTLY);
      expect(kind).toBe("updated");
      expect((await standing(id)).spec).toMatchObject({ keyLife: "unfinished", priority: 0 });
    });

    test("whoever puts again under the next master finds what is there", async () => {
      const key = newKey();
      const { id } = await put(key, NIGHTLY);
      const next = await startMastership(master.store);
      try {
        expect(await put(key, NIGHTLY, next.api)).toEqual({ kind: "unchanged", id });
        // The old one can write nothing any more.
        await expect(put(newKey(), NIGHTLY)).rejects.toMatchObject({ code: "unavailable" });
      } finally {
        next.end.abort();
      }
    });
  });
}
