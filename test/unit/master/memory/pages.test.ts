import { afterEach, beforeEach, expect, test } from "vitest";
import { type JobRecord, STORED_STATUS } from "../../../../src/core/job.ts";
import { Queues } from "../../../../src/core/queues/queues.ts";
import { Pages } from "../../../../src/master/memory/pages.ts";
import { NOW, recordOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";
import { until } from "../../../fixtures/until.ts";

const HORIZON_MS = 300_000;

let opened: Awaited<ReturnType<typeof openTestStore>>;
let end: AbortController;
let running: Promise<void>;
beforeEach(async () => {
  opened = await openTestStore();
  end = new AbortController();
});
afterEach(async () => {
  end.abort();
  await running;
  await opened.close();
});

const add = (...jobs: JobRecord[]) => opened.store.insertJobs(1, jobs, []);

/** Reads pages from now on. `gate` holds up what a page has read. */
function start({ maxJobsInMemory = 10_000, gate = async () => {} } = {}) {
  const { store } = opened;
  const { pageJobs } = store;
  let pagesRead = 0;
  store.pageJobs = async (query) => {
    const page = await pageJobs.call(store, query);
    await gate();
    pagesRead++;
    return page;
  };
  const clock = new ManualClock();
  const context = masterContext({ clock, store, ended: end.signal, settings: { maxJobsInMemory } });
  const queues = new Queues();
  const found: number[] = [];
  let loaded = 0;
  const pages = new Pages(context, {
    queues,
    holders: { found: ({ id }) => void found.push(id) },
    turn: { ask: () => loaded++ },
  });
  running = pages.run();
  return { pages, queues, found, clock, loaded: () => loaded, pagesRead: () => pagesRead };
}

test("reads what is due within the horizon, of classes that a node can take, and no other", async () => {
  await add(
    recordOf({ id: 1, at: NOW }),
    recordOf({ id: 2, at: NOW + HORIZON_MS }),
    recordOf({ id: 3, at: NOW + HORIZON_MS + 1 }),
    recordOf({ id: 4, classId: 2 }),
  );
  const { pages, queues, loaded } = start();
  pages.setPresent(new Set([1]));
  await until("a page", () => loaded() > 0);
  expect([1, 2, 3, 4].map((id) => queues.get(id)?.place)).toEqual([
    "waiting",
    "waiting",
    undefined,
    undefined,
  ]);
  expect(pages.isLoaded(recordOf({ id: 2, at: NOW + HORIZON_MS }))).toBe(true);
  expect(pages.isLoaded(recordOf({ id: 3, at: NOW + HORIZON_MS + 1 }))).toBe(false);
});

test("reads on as time passes", async () => {
  await add(recordOf({ id: 1, at: NOW + HORIZON_MS + 1 }));
  const { pages, queues, clock, loaded } = start();
  pages.setPresent(new Set([1]));
  // It looks each quarter of the horizon, and reads on when memory reaches less than half of it ahead.
  for (let quarter = 1; quarter <= 3; quarter++) {
    await until("it rests", () => loaded() === 1 && clock.isAwaited);
    clock.move(HORIZON_MS / 4);
  }
  await until("the next page", () => loaded() === 2);
  expect(queues.get(1)?.place).toBe("waiting");
});

test("tells of a job that is RUNNING, and that memory does not know", async () => {
  await add(recordOf({ id: 1, status: STORED_STATUS.RUNNING, claim: 1 }));
  const { pages, found, loaded } = start();
  pages.setPresent(new Set([1]));
  await until("a page", () => loaded() > 0);
  expect(found).toEqual([1]);
});

test("of a job that was written about while its page was read, the page says nothing", async () => {
  await add(recordOf({ id: 1 }), recordOf({ id: 2 }), recordOf({ id: 3 }));
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { pages, queues, loaded } = start({
    gate: () => {
      begun.resolve();
      return gate.promise;
    },
  });
  pages.setPresent(new Set([1]));
  await begun.promise;
  // One has ended meanwhile; another is in memory, as a write about it says.
  pages.touch(1);
  queues.run(recordOf({ id: 2, status: STORED_STATUS.RUNNING, claim: 1 }), true);
  // One that is added now belongs into memory: the page may have passed its place.
  expect(pages.admits(recordOf({ id: 9, at: NOW + 5 }))).toBe(true);
  gate.resolve();
  await until("the page", () => loaded() > 0);
  expect([1, 2, 3].map((id) => queues.get(id)?.place)).toEqual([undefined, "running", "waiting"]);
});

test("a job that finds no room is left to a later page, which begins at its place", async () => {
  const full = Array.from({ length: 1_000 }, (_, index) =>
    recordOf({ id: index + 1, at: NOW + 1_000 + index }),
  );
  await add(...full);
  const { pages, queues, loaded } = start({ maxJobsInMemory: 1_000 });
  pages.setPresent(new Set([1]));
  await until("a page", () => loaded() > 0);
  expect(queues.classSize(1)).toBe(1_000);
  const late = recordOf({ id: 2_000, at: NOW + 1_500 });
  expect(pages.isLoaded(late)).toBe(true);
  expect(pages.admits(late)).toBe(false);
  expect([pages.isLoaded(late), pages.isLoaded(recordOf({ id: 1, at: NOW + 1_499 }))]).toEqual([false, true]);

  await add(late);
  for (const { id } of full.slice(0, 600)) queues.drop(id);
  pages.kick();
  await until("the page that has it", () => queues.get(2_000) !== undefined);
});

test("a page that could not be read is read again", async () => {
  await add(recordOf());
  let failing = 1;
  const { pages, queues, clock } = start({
    gate: async () => {
      if (failing-- > 0) throw new Error("no answer");
    },
  });
  pages.setPresent(new Set([1]));
  await until("it waits to try again", () => failing === 0 && clock.isAwaited);
  clock.move(500);
  await until("the page", () => queues.get(1) !== undefined);
});

test("a class that is new has nothing to be read", async () => {
  const { pages, pagesRead } = start();
  pages.addEmptyClass(7);
  pages.setPresent(new Set([7]));
  expect(pages.isPresent(7)).toBe(true);
  expect(pages.isLoaded(recordOf({ classId: 7, at: NOW + HORIZON_MS }))).toBe(true);
  expect(pagesRead()).toBe(0);
});
