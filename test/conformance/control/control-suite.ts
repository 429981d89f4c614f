/** Every action in every state, on a real store: what the table in core/transitions.ts says is what happens. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Assignment } from "../../../src/coordination/assignment.ts";
import { isError } from "../../../src/core/errors.ts";
import { type JobSpec, OUTCOME, STORED_STATUS } from "../../../src/core/job.ts";
import type { State } from "../../../src/core/state/transitions.ts";
import type { JobStore } from "../../../src/store/job-store.ts";
import { itemOf } from "../../fixtures/add-items.ts";
import { specOf } from "../../fixtures/job-fixture.ts";
import { startMaster, type TestMaster } from "../../fixtures/test-master.ts";
import { until } from "../../fixtures/until.ts";

const HOUR = 3_600_000;
const { WAITING, RUNNING, PAUSED, SUCCEEDED, FAILED, CANCELLED } = STORED_STATUS;

type Call = "pause" | "resume" | "cancel" | "retry" | "update" | "trigger" | "delete";
type After = number | "refused" | "gone";
/** Beside those of the table: RUNNING, and its CANCELLED row is there already. */
type Stage = State | "cancelling";

/** The stored status afterwards. */
const EXPECTED: Readonly<Record<Stage, Readonly<Record<Call, After>>>> = {
  waiting: {
    pause: PAUSED,
    resume: WAITING,
    cancel: CANCELLED,
    retry: WAITING,
    update: WAITING,
    trigger: WAITING,
    delete: "gone",
  },
  prepared: {
    pause: PAUSED,
    resume: WAITING,
    cancel: CANCELLED,
    retry: WAITING,
    update: WAITING,
    trigger: WAITING,
    delete: "gone",
  },
  retrying: {
    pause: PAUSED,
    resume: WAITING,
    cancel: CANCELLED,
    retry: WAITING,
    update: WAITING,
    trigger: WAITING,
    delete: "gone",
  },
  // Until the handler has ended.
  running: {
    pause: RUNNING,
    resume: RUNNING,
    cancel: RUNNING,
    retry: RUNNING,
    update: RUNNING,
    trigger: RUNNING,
    delete: "gone",
  },
  pausing: {
    pause: RUNNING,
    resume: RUNNING,
    cancel: RUNNING,
    retry: RUNNING,
    update: RUNNING,
    trigger: RUNNING,
    delete: "gone",
  },
  cancelling: {
    pause: RUNNING,
    resume: RUNNING,
    cancel: RUNNING,
    retry: RUNNING,
    update: RUNNING,
    trigger: RUNNING,
    delete: "gone",
  },
  paused: {
    pause: PAUSED,
    resume: WAITING,
    cancel: CANCELLED,
    retry: PAUSED,
    update: PAUSED,
    trigger: PAUSED,
    delete: "gone",
  },
  succeeded: {
    pause: "refused",
    resume: "refused",
    cancel: SUCCEEDED,
    retry: "refused",
    update: SUCCEEDED,
    trigger: SUCCEEDED,
    delete: "gone",
  },
  failed: {
    pause: "refused",
    resume: "refused",
    cancel: FAILED,
    retry: WAITING,
    update: FAILED,
    trigger: FAILED,
    delete: "gone",
  },
  cancelled: {
    pause: "refused",
    resume: "refused",
    cancel: CANCELLED,
    retry: "refused",
    update: CANCELLED,
    trigger: CANCELLED,
    delete: "gone",
  },
};

export function describeControl(name: string, open: () => Promise<JobStore>): void {
  describe(`control of jobs on ${name}`, () => {
    let master: TestMaster;
    beforeAll(async () => {
      master = await startMaster(await open());
    });
    afterAll(() => master.close());

    async function add(fields: Partial<JobSpec>): Promise<number> {
      const [added] = await master.api.addJobs([itemOf(specOf({ handler: "work", ...fields }))], null);
      if (added === undefined || added instanceof Error) throw added ?? new Error("not added");
      return added.jobId;
    }

    const everySecond = (): Partial<JobSpec> => ({
      schedule: { kind: "cron", expression: "* * * * * *", timeZone: "UTC" },
    });
    const later = (): Partial<JobSpec> => ({ schedule: { kind: "timed", runAt: Date.now() + HOUR } });
    const statusOf = async (id: number) => (await master.store.readJobs([id])).get(id)?.status;
    const rowsOf = async (id: number) =>
      (await master.store.listResults({ jobId: id }, { before: null, limit: 100 })).items;

    async function running(fields: Partial<JobSpec> = {}): Promise<{ id: number; assignment: Assignment }> {
      const id = await add(fields);
      return { id, assignment: await master.node.take(id) };
    }

    async function ended(outcome: 1 | 2 | 4, retryAt: number | null = null): Promise<number> {
      const { id, assignment } = await running();
      await master.node.finish(assignment, outcome, retryAt);
      await until("the master has taken it in", async () => (await statusOf(id)) !== RUNNING);
      return id;
    }

    const IN_STATE: Readonly<Record<Stage, () => Promise<number>>> = {
      waiting: () => add(later()),
      prepared: () => add({}),
      retrying: () => ended(OUTCOME.FAILED, Date.now() + HOUR),
      running: async () => (await running()).id,
      pausing: async () => {
        const { id } = await running();
        await master.api.pauseJob(id);
        return id;
      },
      cancelling: async () => {
        const { id } = await running();
        // The answer would wait for the handler's end.
        master.api.cancelJob(id, null).catch(() => {});
        await until("the node is told", () => master.node.aborted.includes(id));
        return id;
      },
      paused: async () => {
        const id = await add(later());
        await master.api.pauseJob(id);
        return id;
      },
      succeeded: () => ended(OUTCOME.SUCCEEDED),
      failed: () => ended(OUTCOME.FAILED),
      cancelled: async () => {
        const id = await add(later());
        await master.api.cancelJob(id, null);
        return id;
      },
    };

    const CALLS: Readonly<Record<Call, (id: number) => Promise<unknown>>> = {
      pause: (id) => master.api.pauseJob(id),
      resume: (id) => master.api.resumeJob(id),
      cancel: (id) => master.api.cancelJob(id, null),
      retry: (id) => master.api.retryJob(id),
      update: (id) => master.api.updateJob(id, null, (spec) => ({ ...spec, name: "renamed" })),
      trigger: (id) => master.api.triggerJob(id, `trigger ${id}`),
      delete: (id) => master.api.deleteJob(id),
    };

    for (const state of Object.keys(EXPECTED) as Stage[]) {
      for (const call of Object.keys(CALLS) as Call[]) {
        const after = EXPECTED[state][call];
        const word = Object.entries(STORED_STATUS).find(([, status]) => status === after)?.[0] ?? after;
        test(`${call} when ${state}: ${word}, and the same when it is called again`, async () => {
          const id = await IN_STATE[state]();
          const before = (await master.store.readJobs([id])).get(id);
          if (after === "refused") {
            await expect(CALLS[call](id)).rejects.toSatisfy((error) => isError(error, "failed_precondition"));
            expect((await master.store.readJobs([id])).get(id)).toEqual(before);
            return;
          }
          await CALLS[call](id);
          if (after === "gone") {
            expect(await statusOf(id)).toBeUndefined();
            await expect(CALLS[call](id)).rejects.toSatisfy((error) => isError(error, "not_found"));
          } else {
            expect(await statusOf(id)).toBe(after);
            const rows = await rowsOf(id);
            await CALLS[call](id);
            expect(await statusOf(id)).toBe(after);
            expect(await rowsOf(id)).toEqual(rows);
          }
        });
      }
    }

    test("a cancelled occurrence has its CANCELLED row, and a recurring job goes on with the next", async () => {
      const schedule = { kind: "cron", expression: "0 0 1 1 *", timeZone: "UTC" } as const;
      const id = await add({ schedule });
      const before = (await master.store.readJobs([id])).get(id);
      const view = await master.api.cancelJob(id, before?.scheduledAt ?? 0);
      expect(view.record.status).toBe(WAITING);
      expect(view.record.scheduledAt).toBeGreaterThan(before?.scheduledAt ?? 0);
      expect(await rowsOf(id)).toMatchObject([
        { outcome: OUTCOME.CANCELLED, scheduledAt: before?.scheduledAt },
      ]);
      // Named, so that a repeated call does not take the next one too.
      const again = await master.api.cancelJob(id, before?.scheduledAt ?? 0);
      expect(again.record.scheduledAt).toBe(view.record.scheduledAt);
    });

    test("a paused recurring job stays paused when its occurrence is cancelled", async () => {
      const id = await add({ schedule: { kind: "cron", expression: "0 0 1 1 *", timeZone: "UTC" } });
      await master.api.pauseJob(id);
      expect((await master.api.cancelJob(id, null)).record.status).toBe(PAUSED);
    });

    test("a job that was paused while it ran is paused when that has ended, and its result counts", async () => {
      const { id, assignment } = await running({ retry: { ...specOf().retry, initialBackoffMs: 1 } });
      await master.api.pauseJob(id);
      await master.node.finish(assignment, OUTCOME.FAILED, Date.now() + 1);
      await until("it is paused", async () => (await statusOf(id)) === PAUSED);
      expect(await rowsOf(id)).toMatchObject([{ outcome: OUTCOME.FAILED }]);
      expect((await master.api.resumeJob(id)).record).toMatchObject({
        status: WAITING,
        attempt: 1,
        failures: 1,
      });
    });

    test("what fell due while it was paused is one SKIPPED row when it is resumed", async () => {
      const id = await add({ schedule: { kind: "cron", expression: "* * * * * *", timeZone: "UTC" } });
      await master.api.pauseJob(id);
      const held = (await master.store.readJobs([id])).get(id);
      await until("three occurrences have passed", () => Date.now() > (held?.scheduledAt ?? 0) + 2500);
      await master.api.resumeJob(id);
      await master.node.take(id);
      const skipped = (await rowsOf(id)).filter(({ outcome }) => outcome === OUTCOME.SKIPPED);
      expect(skipped).toMatchObject([{ reason: "paused", scheduledAt: held?.scheduledAt }]);
      expect(skipped[0]?.skippedCount).toBeGreaterThanOrEqual(3);
    });

    test("a running job that is cancelled is RUNNING, and says why, until its node says that the handler has ended", async () => {
      const { id, assignment } = await running(everySecond());
      const { record, reason, lastResult } = await master.api.cancelJob(id, assignment.scheduledAt);
      expect(record).toMatchObject({ status: RUNNING, claim: assignment.claim });
      expect(reason).toBe("cancelled: its handler has not ended yet");
      expect(lastResult).toMatchObject({ outcome: OUTCOME.CANCELLED, claim: assignment.claim });
      expect(master.node.aborted).toContain(id);
      // The next occurrence has been due for a while; nothing may start it.
      await until("the next is due", () => Date.now() > (assignment.nextDueAt ?? 0) + 500);
      expect(master.node.assignments.filter(({ jobId }) => jobId === id)).toHaveLength(1);
      expect(await statusOf(id)).toBe(RUNNING);
      await master.node.finish(assignment, OUTCOME.SUCCEEDED);
      await master.node.take(id, assignment.claim + 1);
      const rows = await rowsOf(id);
      expect(rows.filter(({ claim }) => claim === assignment.claim)).toMatchObject([
        { outcome: OUTCOME.CANCELLED, late: false },
        { outcome: OUTCOME.SUCCEEDED, late: true },
      ]);
      await master.api.deleteJob(id);
    });

    test("a cancel answers with what came of it when the handler ends soon", async () => {
      const { id, assignment } = await running();
      const answer = master.api.cancelJob(id, null);
      await until("the node is told", () => master.node.aborted.includes(id));
      await master.node.finish(assignment, OUTCOME.SUCCEEDED);
      expect((await answer).record.status).toBe(CANCELLED);
    });

    test("what is done to a job that is being cancelled counts when its handler has ended", async () => {
      const { id, assignment } = await running(everySecond());
      await master.api.cancelJob(id, null);
      await master.api.updateJob(id, null, (spec) => ({ ...spec, name: "renamed" }));
      await master.api.pauseJob(id);
      await master.node.finish(assignment, OUTCOME.SUCCEEDED);
      await until("it is paused", async () => (await statusOf(id)) === PAUSED);
      expect((await master.store.readJobs([id])).get(id)?.spec.name).toBe("renamed");
      await master.api.deleteJob(id);
    });

    test("a result that races a cancel: one row is final, and the job ends as it says", async () => {
      for (let round = 0; round < 10; round++) {
        const { id, assignment } = await running();
        await Promise.all([
          master.node.finish(assignment, OUTCOME.SUCCEEDED),
          master.api.cancelJob(id, null),
        ]);
        await until("it has ended", async () => (await statusOf(id)) !== RUNNING);
        const final = (await rowsOf(id)).filter(({ late }) => !late);
        expect(final).toHaveLength(1);
        const isCancelled = final[0]?.outcome === OUTCOME.CANCELLED;
        expect(await statusOf(id)).toBe(isCancelled ? CANCELLED : SUCCEEDED);
      }
    });

    test("a result that races an update, a pause or a delete is kept", async () => {
      for (const call of ["update", "pause", "delete"] as const) {
        const { id, assignment } = await running();
        await Promise.all([
          master.node.finish(assignment, OUTCOME.SUCCEEDED),
          CALLS[call](id).catch(() => {}),
        ]);
        await until("it has ended", async () => {
          const status = await statusOf(id);
          return status === SUCCEEDED || status === undefined;
        });
        expect((await rowsOf(id)).filter(({ late }) => !late)).toHaveLength(1);
      }
    });

    test("a deleted job's handler is aborted, and its results stay", async () => {
      const { id, assignment } = await running();
      await master.api.deleteJob(id);
      await until("the node is told", () => master.node.aborted.includes(id));
      await master.node.finish(assignment, OUTCOME.SUCCEEDED);
      expect(await rowsOf(id)).toMatchObject([
        { outcome: OUTCOME.CANCELLED, late: false },
        { outcome: OUTCOME.SUCCEEDED, late: true },
      ]);
    });

    test("a running job that is deleted or cancelled keeps the time of its claim as its start", async () => {
      for (const end of ["delete", "cancel"] as const) {
        const { id } = await running();
        const claimed = (await master.store.readJobs([id])).get(id);
        await until("time has passed", () => Date.now() > (claimed?.updateTime ?? 0) + 20);
        await CALLS[end](id);
        const [row] = await rowsOf(id);
        expect(row).toMatchObject({ outcome: OUTCOME.CANCELLED, startTime: claimed?.updateTime });
        expect(row?.endTime).toBeGreaterThan(claimed?.updateTime ?? 0);
      }
    });

    test("an occurrence that is cancelled before it runs starts and ends at once", async () => {
      const id = await add(later());
      await master.api.cancelJob(id, null);
      const [row] = await rowsOf(id);
      expect(row?.startTime).toBe(row?.endTime);
    });

    test("a triggered run is a job of its own, once for a key, and leaves its parent alone", async () => {
      const id = await add(later());
      const first = await master.api.triggerJob(id, "now");
      const second = await master.api.triggerJob(id, "now");
      expect(second.record.id).toBe(first.record.id);
      expect(first.record).toMatchObject({
        parentId: id,
        spec: { schedule: { kind: "immediate" }, handler: "work" },
      });
      const other = await master.api.triggerJob(id, null);
      expect(other.record.id).not.toBe(first.record.id);
      expect(await statusOf(id)).toBe(WAITING);
    });

    test("occurrences of a job with overlap allow run side by side, as jobs of their own", async () => {
      const id = await add({
        schedule: { kind: "cron", expression: "* * * * * *", timeZone: "UTC" },
        overlap: "allow",
      });
      const children = async () => {
        const { items } = await master.store.listJobs({}, { before: null, limit: 1000 });
        return items.filter(({ parentId }) => parentId === id);
      };
      await until("two children are there", async () => {
        // An occurrence becomes a job when some node could take it.
        master.node.offerSlot();
        return (await children()).length >= 2;
      });
      const times = (await children()).map(({ scheduledAt }) => scheduledAt);
      expect(new Set(times).size).toBe(times.length);
      await master.api.deleteJob(id);
    });

    test("a new schedule takes over from an old one that runs", async () => {
      const { id, assignment } = await running();
      const runAt = Date.now() + HOUR;
      await master.api.updateJob(id, null, (spec) => ({ ...spec, schedule: { kind: "timed", runAt } }));
      await master.node.finish(assignment, OUTCOME.SUCCEEDED);
      await until("it waits for the new time", async () => (await statusOf(id)) === WAITING);
      expect((await master.store.readJobs([id])).get(id)).toMatchObject({
        at: runAt,
        scheduledAt: runAt,
        attempt: 0,
      });
    });

    test("a key is free again when its job has ended (unfinished), and after its time", async () => {
      const keyed = (fields: Partial<JobSpec>) => specOf({ handler: "work", ...fields });
      const addKeyed = async (fields: Partial<JobSpec>) => {
        const [added] = await master.api.addJobs([itemOf(keyed(fields))], null);
        if (added === undefined || added instanceof Error) throw added ?? new Error("not added");
        return added;
      };
      const unfinished = { idempotencyKey: "one at a time", keyLife: "unfinished", ...later() } as const;
      const first = await addKeyed(unfinished);
      expect(await addKeyed(unfinished)).toMatchObject({ jobId: first.jobId, created: false });
      await master.api.cancelJob(first.jobId, null);
      expect(await addKeyed(unfinished)).toMatchObject({ created: true });

      const brief = { idempotencyKey: "for a moment", keyLife: 200, ...later() } as const;
      const second = await addKeyed(brief);
      expect(await addKeyed(brief)).toMatchObject({ jobId: second.jobId, created: false });
      await until("the key has expired", async () => (await addKeyed(brief)).created, 5000);
    });
  });
}
