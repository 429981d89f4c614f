import { expect, test } from "vitest";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import type { JobSpec } from "../../../../src/core/job.ts";
import { JobPuts } from "../../../../src/master/control/put-job.ts";
import type { AddItem, AddOutcome, JobDescription } from "../../../../src/master/job-api.ts";
import { recordOf, specOf } from "../../../fixtures/job-fixture.ts";

const SPEC = specOf({ idempotencyKey: "k" });
const DESCRIBED: JobDescription = {
  key: "k",
  added: () => ({ spec: SPEC, asked: {} }),
  changed: (before) => ({ ...before, priority: 5 }),
};

/** A key that is found so, one time after another; then as the last time. */
function puts(found: readonly (number | null)[], outcome: AddOutcome, gone: readonly number[] = []) {
  const items: AddItem[] = [];
  let asked = 0;
  const jobs = new JobPuts({
    find: async () => found[Math.min(asked++, found.length - 1)] ?? null,
    async add(item) {
      items.push(item);
      return outcome;
    },
    async update(jobId, change) {
      if (gone.includes(jobId)) throw new ElasticJobError("not_found", "it is gone");
      return recordOf({ id: jobId, spec: change(SPEC) });
    },
  });
  return { jobs, items, tries: () => asked };
}

const there: AddOutcome = { jobId: 7, created: false, nextRunAt: 1 };
const created: AddOutcome = { jobId: 8, created: true, nextRunAt: 1 };

test("a job that somebody has added meanwhile, whatever it is, is changed, not refused", async () => {
  const { jobs, items } = puts([null, 7], there);
  expect(await jobs.put(DESCRIBED)).toMatchObject({
    kind: "updated",
    record: { id: 7, spec: { priority: 5 } },
  });
  expect(items).toMatchObject([{ asked: { keyReuse: "any_body" } }]);
});

test("a job that somebody has deleted meanwhile is created anew", async () => {
  const { jobs } = puts([7, null], created, [7]);
  expect(await jobs.put(DESCRIBED)).toEqual({ kind: "created", added: created });
});

test("what is refused is told", async () => {
  const refusal = new ElasticJobError("failed_precondition", "handler: none");
  await expect(puts([null], refusal).jobs.put(DESCRIBED)).rejects.toBe(refusal);
  const { jobs } = puts([7], created);
  const changed = (): JobSpec => {
    throw refusal;
  };
  await expect(jobs.put({ ...DESCRIBED, changed })).rejects.toBe(refusal);
});

test("a key whose job never stays is given up after some tries", async () => {
  const { jobs, tries } = puts([7], created, [7]);
  await expect(jobs.put(DESCRIBED)).rejects.toMatchObject({ code: "unavailable" });
  expect(tries()).toBe(5);
});

test("those of one key take turns, those of others do not wait for them", async () => {
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const jobs = new JobPuts({
    async find(key) {
      order.push(`begin ${key}`);
      if (order.length === 1) await first.promise;
      return 7;
    },
    add: async () => created,
    update: async (jobId, change) => recordOf({ id: jobId, spec: change(SPEC) }),
  });
  const one = jobs.put(DESCRIBED);
  const two = jobs.put(DESCRIBED);
  await jobs.put({ ...DESCRIBED, key: "other" });
  expect(order).toEqual(["begin k", "begin other"]);
  first.resolve();
  await Promise.all([one, two]);
  expect(order).toEqual(["begin k", "begin other", "begin k"]);
});
