/** Rows of jobs that ended long ago, and which of them the default retention keeps. */
import {
  farEnd,
  type JobRecord,
  NEVER,
  OUTCOME,
  type ResultRecord,
  STORED_STATUS,
} from "../../../../src/core/job.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { job, result, spec } from "../../../fixtures/store-fixture.ts";

const DAY_MS = 86_400_000;
const BATCH = 1_000;
const RECURRING_RESULTS = 2_500;
const OLD_RESULTS = 100;
const ORPHANS = 500;

export interface FinishedJobs {
  readonly firstId: number;
  readonly lastId: number;
  /** What is left when retention is done. */
  readonly keptJobs: ReadonlySet<number>;
  /** As `jobId/claim`, or `jobId/claim/late`. */
  readonly keptResults: ReadonlySet<string>;
  /** Of the keys with `:own ` in them. */
  readonly keptKeys: ReadonlySet<string>;
}

export function resultName({ jobId, claim, late }: Pick<ResultRecord, "jobId" | "claim" | "late">): string {
  return `${jobId}/${claim}${late ? "/late" : ""}`;
}

/** Of ten jobs eight are old enough to go. */
function endedJob(id: number, index: number, now: number): { record: JobRecord; isKept: boolean } {
  const { SUCCEEDED, FAILED, CANCELLED } = STORED_STATUS;
  const turn = index % 10;
  const [status, days] =
    turn === 6
      ? ([FAILED, 31] as const)
      : turn === 7
        ? ([FAILED, 10] as const)
        : turn === 8
          ? ([SUCCEEDED, 1] as const)
          : turn === 9
            ? ([CANCELLED, 8] as const)
            : ([SUCCEEDED, 8] as const);
  const endedAt = now - days * DAY_MS - (index % 3_600_000);
  const record = job(id, {
    status,
    at: farEnd(endedAt),
    endedAt,
    scheduledAt: endedAt - 1_000,
    claim: index % 7 === 0 ? 2 : 1,
    attempt: 1,
    spec: spec({ name: `finished ${turn}`, payload: JSON.stringify({ index, text: "x".repeat(100) }) }),
  });
  return { record, isKept: turn === 7 || turn === 8 };
}

const OUTCOME_OF = {
  [STORED_STATUS.SUCCEEDED]: OUTCOME.SUCCEEDED,
  [STORED_STATUS.FAILED]: OUTCOME.FAILED,
  [STORED_STATUS.CANCELLED]: OUTCOME.CANCELLED,
} as const;

/** A lost claim before it now and then, and a late row. */
function resultsOf(record: JobRecord, index: number): ResultRecord[] {
  const { id, claim, endedAt, status } = record;
  const outcome =
    status === STORED_STATUS.FAILED || status === STORED_STATUS.CANCELLED
      ? OUTCOME_OF[status]
      : OUTCOME.SUCCEEDED;
  const times = { startTime: endedAt - 10, endTime: endedAt };
  const rows = [result(id, claim, { outcome, output: JSON.stringify("y".repeat(100)), ...times })];
  if (claim === 2) rows.push(result(id, 1, { outcome: OUTCOME.LOST, ...times }));
  if (index % 11 === 0) rows.push(result(id, claim, { late: true, ...times }));
  return rows;
}

/** Fills a migrated store that nobody serves yet. `now`: the database's clock. */
export async function addFinishedJobs(store: JobStore, count: number, now: number): Promise<FinishedJobs> {
  const before = await store.readMastership();
  const epoch = before.epoch + 1;
  await store.advanceEpoch(before.epoch, { epoch, incarnation: "before all nodes" });
  await store.addClass(epoch, { id: 1, handler: "echo", labels: {} });
  const firstId = await store.reserveIds(epoch, count + 2 + ORPHANS);
  const keptJobs = new Set<number>();
  const keptResults = new Set<string>();
  for (let start = 0; start < count; start += BATCH) {
    const jobs: JobRecord[] = [];
    const rows: ResultRecord[] = [];
    for (let index = start; index < Math.min(count, start + BATCH); index++) {
      const { record, isKept } = endedJob(firstId + index, index, now);
      const own = resultsOf(record, index);
      jobs.push(record);
      rows.push(...own);
      if (!isKept) continue;
      keptJobs.add(record.id);
      for (const row of own) keptResults.add(resultName(row));
    }
    await store.insertJobs(epoch, jobs, []);
    await store.writeResults(rows);
  }
  for (const row of await addRecurring(store, epoch, firstId + count, now)) keptResults.add(resultName(row));
  keptJobs.add(firstId + count).add(firstId + count + 1);
  for (const row of await addOrphans(store, firstId + count + 2, now)) keptResults.add(resultName(row));
  const keptKeys = await addKeys(store, epoch, now);
  return { firstId, lastId: firstId + count + 1 + ORPHANS, keptJobs, keptResults, keptKeys };
}

/** One job with more results than are kept, one whose results are all old. Returns the rows that stay. */
async function addRecurring(
  store: JobStore,
  epoch: number,
  firstId: number,
  now: number,
): Promise<ResultRecord[]> {
  const daily = spec({
    name: "daily",
    schedule: { kind: "daily", secondOfDay: 0, timeZone: "UTC", gap: "run_after", fold: "first" },
  });
  const at = now + 2 * DAY_MS;
  await store.insertJobs(
    epoch,
    [
      job(firstId, { spec: daily, at, scheduledAt: at, claim: RECURRING_RESULTS }),
      job(firstId + 1, { spec: daily, at, scheduledAt: at, claim: OLD_RESULTS }),
    ],
    [],
  );
  const rowsOf = (id: number, count: number, endTime: number) =>
    Array.from({ length: count }, (_, index) => result(id, index + 1, { startTime: endTime, endTime }));
  const many = rowsOf(firstId, RECURRING_RESULTS, now - DAY_MS);
  const old = rowsOf(firstId + 1, OLD_RESULTS, now - 10 * DAY_MS);
  await store.writeResults([...many, ...old]);
  return [...many.slice(-1000), ...old.slice(-1)];
}

/** Results of jobs that were deleted: every other one is old. Returns the rows that stay. */
async function addOrphans(store: JobStore, firstId: number, now: number): Promise<ResultRecord[]> {
  const rows = Array.from({ length: ORPHANS }, (_, index) => {
    const endTime = now - (index % 2 === 0 ? 8 : 1) * DAY_MS;
    return result(firstId + index, 1, { startTime: endTime, endTime });
  });
  await store.writeResults(rows);
  return rows.filter((_, index) => index % 2 === 1);
}

async function addKeys(store: JobStore, epoch: number, now: number): Promise<Set<string>> {
  const id = await store.reserveIds(epoch, 1);
  const key = (name: string, jobId: number, expiresAt: number) => ({ key: name, jobId, expiresAt });
  const kept = [key("job:own kept", id, NEVER), key("call:own fresh", id - 1, now + DAY_MS)];
  const free = Array.from({ length: 200 }, (_, index) =>
    index % 2 === 0
      ? key(`call:own old ${index}`, id, now - DAY_MS)
      : key(`job:own of a deleted job ${index}`, id - 1, NEVER),
  );
  const at = now + 2 * DAY_MS;
  const timed = spec({ name: "with keys", schedule: { kind: "timed", runAt: at } });
  await store.insertJobs(epoch, [job(id, { spec: timed, at, scheduledAt: at })], [...kept, ...free]);
  return new Set(kept.map((one) => one.key));
}
