import { afterEach, beforeEach, expect, test } from "vitest";
import type { ZoneRules } from "../../../../src/core/calendar/tzif.ts";
import { useZoneData } from "../../../../src/core/calendar/zone-segment.ts";
import { OUTCOME, type Schedule, STORED_STATUS } from "../../../../src/core/job.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { openSqliteStore } from "../../../../src/store/open.ts";
import { systemClock } from "../../../../src/system-clock.ts";
import { itemOf } from "../../../fixtures/add-items.ts";
import { specOf } from "../../../fixtures/job-fixture.ts";
import { startMastership, TestNode } from "../../../fixtures/test-master.ts";
import { until } from "../../../fixtures/until.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ZONE = "America/Winnipeg";

let store: JobStore;
beforeEach(async () => {
  store = openSqliteStore({ path: ":memory:", clock: systemClock });
  await store.migrate();
});
afterEach(async () => {
  useZoneData(null);
  await store.close();
});

function useOffset(version: string, hours: number): void {
  const rules: ZoneRules = { firstOffsetMs: hours * HOUR_MS, changes: [], rule: null, ruleFrom: 0 };
  useZoneData({ version, rules: () => rules });
}

/** Daily, and due next in about so many hours by an offset of -6 hours. */
function dailyIn(hours: number, timeZone = ZONE): Schedule {
  const local = (((Date.now() + (hours - 6) * HOUR_MS) % DAY_MS) + DAY_MS) % DAY_MS;
  return { kind: "daily", secondOfDay: Math.floor(local / 1000), timeZone, gap: "run_after", fold: "first" };
}

async function rowOf(id: number) {
  const row = (await store.readJobs([id])).get(id);
  if (row === undefined) throw new Error("no such job");
  return row;
}

const isComputed = (version: string) => async () => (await store.readZoneVersions()).computed === version;

test("a master with newer time zone data moves what waits to its local time, and says when it is done", async () => {
  useOffset("2026c", -6);
  const older = await startMastership(store, { zoneData: "2026c" });
  await store.offerZoneData("2026c");
  const node = new TestNode(older.api, store);
  const add = async (schedule: Schedule) => {
    const spec = specOf({ handler: "work", schedule });
    const [added] = await older.api.addJobs([itemOf(spec)], null);
    if (added === undefined || "code" in added) throw new Error("not added");
    return added.jobId;
  };
  const [waits, paused, soon, utc] = [
    await add(dailyIn(5)),
    await add(dailyIn(6)),
    await add(dailyIn(0.5)),
    await add(dailyIn(5, "UTC")),
  ];
  const many = await Promise.all(Array.from({ length: 150 }, () => add(dailyIn(7))));
  await older.api.pauseJob(paused);
  const runs = await add({ kind: "cron", expression: "* * * * * *", timeZone: ZONE });
  const assignment = await node.take(runs);
  const before = new Map(await store.readJobs([waits, paused, soon, utc, ...many]));
  await until("the older version is done", isComputed("2026c"));
  older.end.abort();

  useOffset("2026f", -5);
  await store.offerZoneData("2026f");
  const newer = await startMastership(store, { zoneData: "2026f" });
  for (const id of [waits, ...many]) {
    const expected = (before.get(id)?.scheduledAt ?? 0) - HOUR_MS;
    await until(`job ${id} is moved`, async () => (await rowOf(id)).scheduledAt === expected);
    expect((await rowOf(id)).at).toBe(expected);
  }
  await until("the paused one is moved", async () => {
    const { scheduledAt, status } = await rowOf(paused);
    return (
      status === STORED_STATUS.PAUSED && scheduledAt === (before.get(paused)?.scheduledAt ?? 0) - HOUR_MS
    );
  });
  // By the new rules it was due half an hour ago: it is not left out.
  await until("the missed one is moved", async () => (await rowOf(soon)).scheduledAt < Date.now());
  expect((await rowOf(utc)).scheduledAt).toBe(before.get(utc)?.scheduledAt);
  // One that runs was claimed by the old rules: not before it has ended is all done.
  expect((await store.readZoneVersions()).computed).toBe("2026c");
  await node.finish(assignment, OUTCOME.SUCCEEDED);
  await until("all is done", isComputed("2026f"), 20_000);
  newer.end.abort();
}, 60_000);

test("an older master leaves times as they are, and a mark, so that the next newer one computes again", async () => {
  await store.offerZoneData("2026f");
  const newer = await startMastership(store, { zoneData: "2026f" });
  await until("done", isComputed("2026f"));
  newer.end.abort();
  const older = await startMastership(store, { zoneData: "2026c" });
  await until("marked", isComputed(""));
  older.end.abort();
  const next = await startMastership(store, { zoneData: "2026f" });
  await until("done again", isComputed("2026f"));
  next.end.abort();
});

test("a job in a zone that the next master does not know waits, alone and with the reason; what would need the zone is refused", async () => {
  const rules: ZoneRules = { firstOffsetMs: HOUR_MS, changes: [], rule: null, ruleFrom: 0 };
  useZoneData({ version: "2026f", rules: (name) => (name === "Europe/Newtown" ? rules : null) });
  const newer = await startMastership(store, { zoneData: "2026f" });
  const schedule: Schedule = { kind: "cron", expression: "* * * * * *", timeZone: "Europe/Newtown" };
  const spec = specOf({ handler: "work", schedule, jitterMs: 0 });
  const [added] = await newer.api.addJobs([itemOf(spec)], null);
  if (added === undefined || "code" in added) throw new Error("not added");
  const { jobId } = added;
  newer.end.abort();

  useZoneData(null);
  const older = await startMastership(store, { zoneData: "2026c" });
  const node = new TestNode(older.api, store);
  await until("it is due", async () => (await rowOf(jobId)).at < Date.now());
  const [other] = await older.api.addJobs([itemOf(specOf({ handler: "work" }))], null);
  if (other === undefined || "code" in other) throw new Error("not added");
  await node.finish(await node.take(other.jobId), OUTCOME.SUCCEEDED);
  const reason = expect.stringMatching(/time zone "Europe\/Newtown" is not in the time zone data.*TZDIR/);
  expect(await older.api.readJob(jobId)).toMatchObject({ record: { claim: 0 }, reason });
  for (const call of [() => older.api.cancelJob(jobId, null), () => older.api.triggerJob(jobId, null)]) {
    const refused = await call().catch((error: unknown) => error);
    if (refused instanceof Error) {
      expect(refused).toMatchObject({ code: "failed_precondition", message: reason });
    }
  }
  const changed = await older.api.updateJob(jobId, null, (before) => ({ ...before, priority: 7 }));
  expect(changed).toMatchObject({ record: { spec: { priority: 7 } }, reason });
  const utc: Schedule = { ...schedule, timeZone: "UTC" };
  await older.api.updateJob(jobId, null, (before) => ({ ...before, schedule: utc }));
  await node.finish(await node.take(jobId), OUTCOME.SUCCEEDED);
  older.end.abort();
});
