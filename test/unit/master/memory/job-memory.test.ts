import { expect, test } from "vitest";
import { STORED_STATUS } from "../../../../src/core/job.ts";
import { Queues } from "../../../../src/core/queues/queues.ts";
import { ChangedJobs } from "../../../../src/master/memory/changed-jobs.ts";
import { JobMemory } from "../../../../src/master/memory/job-memory.ts";
import { MAX_PAYLOAD_IN_MEMORY, Pages } from "../../../../src/master/memory/pages.ts";
import { NOW, recordOf, specOf } from "../../../fixtures/job-fixture.ts";
import { masterContext } from "../../../fixtures/master-context.ts";

const HORIZON_MS = 300_000;

/** Class 1 is all in memory, up to the horizon. */
function start() {
  const queues = new Queues();
  const pages = new Pages(masterContext(), {
    queues,
    holders: { found: () => {} },
    turn: { ask: () => {} },
  });
  pages.addEmptyClass(1);
  const changes = new ChangedJobs();
  let placed = 0;
  const memory = new JobMemory({ queues, pages, changedJobs: changes, turn: { ask: () => placed++ } });
  return { memory, queues, changes, placed: () => placed };
}

test("a job that waits goes into waiting, and whoever places jobs hears of it", () => {
  const { memory, queues, placed } = start();
  memory.place(recordOf({ at: NOW + 1_000 }));
  expect(queues.get(1)?.place).toBe("waiting");
  expect(placed()).toBe(1);
});

test("a job past the horizon, of a class that nobody can take, or that does not wait, stays out", () => {
  const { memory, queues, placed } = start();
  memory.place(recordOf({ id: 1, at: NOW + HORIZON_MS + 1 }));
  memory.place(recordOf({ id: 2, classId: 2 }));
  memory.place(recordOf({ id: 3, status: STORED_STATUS.PAUSED }));
  expect([queues.size, placed()]).toEqual([0, 0]);
});

test("a job that was in memory leaves it when it waits no more", () => {
  const { memory, queues } = start();
  memory.run(recordOf({ status: STORED_STATUS.RUNNING, claim: 1 }));
  expect(queues.get(1)?.place).toBe("running");
  memory.place(recordOf({ status: STORED_STATUS.SUCCEEDED, claim: 1 }));
  expect(queues.get(1)).toBeUndefined();
});

test("a large payload is not kept, and one that was not read is not taken for read", () => {
  const { memory, queues } = start();
  const [least, large] = [MAX_PAYLOAD_IN_MEMORY, MAX_PAYLOAD_IN_MEMORY + 1].map((length) =>
    "x".repeat(length),
  );
  memory.place(recordOf({ id: 1, spec: specOf({ payload: least ?? null }) }));
  memory.place(recordOf({ id: 2, spec: specOf({ payload: large ?? null }) }));
  memory.run(recordOf({ id: 3, spec: specOf({ payload: large ?? null }) }));
  memory.place(recordOf({ id: 4 }), false);
  const kept = [1, 2, 3, 4].map((id) => [queues.get(id)?.payloadLoaded, queues.get(id)?.record.spec.payload]);
  expect(kept).toEqual([
    [true, least],
    [false, null],
    [false, null],
    [false, null],
  ]);
});

test("a new job is placed once its insert is known, unless something was heard of it before", () => {
  const { memory, queues, placed } = start();
  for (const id of [1, 2, 3, 4]) memory.expect(id);
  memory.placeNew(recordOf({ id: 1 }));
  // The insert may have failed: others say what became of it.
  memory.expectNoMore(2);
  memory.placeNew(recordOf({ id: 2 }));
  // A page brought it before the answer came, and it has gone on since.
  memory.run(recordOf({ id: 3, status: STORED_STATUS.RUNNING, claim: 1 }));
  memory.placeNew(recordOf({ id: 3 }));
  queues.wait(recordOf({ id: 4, at: NOW + 7 }), true);
  memory.placeNew(recordOf({ id: 4 }));
  expect([1, 2, 3].map((id) => queues.get(id)?.place)).toEqual(["waiting", undefined, "running"]);
  expect(queues.get(4)?.record.at).toBe(NOW + 7);
  expect(placed()).toBe(1);
});

test("whoever watches a job hears of all that memory is told about it", () => {
  const { memory, changes } = start();
  let heard = 0;
  changes.watch(1, () => heard++);
  memory.place(recordOf());
  memory.run(recordOf({ status: STORED_STATUS.RUNNING, claim: 1 }));
  memory.remove(1);
  memory.remove(2);
  expect(heard).toBe(3);
});
