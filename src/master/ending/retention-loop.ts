/**
 * Removes what has been kept long enough: jobs that have ended, each before its results; results of jobs
 * that go on, or that a caller deleted; keys that hold nothing any more; handlers that nobody offers any more; what callers
 * did long ago.
 *
 * - It starts only when recovery is over, or has had its time, and pauses without trust or while cluster time is in
 *   doubt: what is due to go depends on nothing but the time.
 * - One small fenced statement at a time, by primary key, and as long a pause as it took: on a busy
 *   database statements take longer, and so retention gives way by itself.
 * - What is removed is decided by what was read, but every DELETE repeats the conditions that may have
 *   changed since. An ended job is found by its place in the hot index; results and keys are in no order
 *   of time, and are scanned from end to end, seldom.
 */
import { sleep } from "../../core/clock.ts";
import { isError } from "../../core/errors.ts";
import { takeoverAt } from "../../core/lease.ts";
import { Retried } from "../../core/log/retried.ts";
import { ResultCounter } from "../../core/state/count-results.ts";
import {
  expiresResults,
  isExpired,
  type JobAge,
  jobAges,
  longestAgeMs,
  type Retention,
  SHORTEST_AGE_MS,
} from "../../core/state/retention.ts";
import type { ClaimRef, Cursor } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { ClassRegistry } from "../memory/class-registry.ts";
import type { InFlight } from "../memory/in-flight.ts";
import { expireAudit } from "./expire-audit.ts";

/** Rows that a statement removes, at most and at least. */
const MOST_ROWS = 500;
const FEWEST_ROWS = 100;
/** A statement that takes longer is too big for how busy the database is. */
const LONG_BATCH_MS = 250;
/** Rows that a scan looks at a time. */
const SCAN_ROWS = 1_000;
const SHORTEST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2_000;
/** Between looks for jobs that have become old enough. */
const REST_MS = 60_000;
/** Between scans, at least; and ten times as long as the last one took. */
const SCAN_REST_MS = 600_000;
const SCAN_REST_FACTOR = 10;
const RETRY_MS = 5_000;
/** Between looks whether recovery is over; the first comes after memory has been read, as a rule. */
const RECOVERY_LOOK_MS = 1_000;
const BIG_ERROR_MS = 60_000;

export interface RetentionParts {
  readonly classes: ClassRegistry;
  readonly inFlight: InFlight;
  /** Whether nodes that held claims are still waited for. */
  readonly isRecovering: () => boolean;
  /** Forgets handlers that nobody has offered since; returns how many. */
  readonly forgetHandlers: (before: number) => Promise<number>;
}

export class RetentionLoop {
  private readonly context: MasterContext;
  private readonly retried: Retried;
  private readonly parts: RetentionParts;
  private readonly retention: Retention;
  private readonly ages: readonly JobAge[];
  /** How far each age has looked in each class: what it left there stays, or has another age. */
  private readonly lookedAt = new Map<JobAge, Map<number, Cursor>>();
  private pass: AsyncGenerator<void, void> | null = null;
  private readonly counter: ResultCounter;
  private rows = MOST_ROWS;
  private resultsAfter: ClaimRef | null = null;
  private keysAfter: string | null = null;
  private nextScanAt = Number.NEGATIVE_INFINITY;
  private isPaused = false;
  /** What it has removed so far. */
  readonly removed = { jobs: 0, results: 0, keys: 0, handlers: 0, audit: 0 };

  constructor(context: MasterContext, parts: RetentionParts) {
    this.context = context;
    this.retried = new Retried(context, "could not remove what is old enough; trying again");
    this.parts = parts;
    this.retention = context.settings.retention;
    this.ages = jobAges(this.retention);
    this.counter = new ResultCounter(this.retention);
  }

  async run(): Promise<void> {
    const { clock, ended, settings, epochWrittenAt, time } = this.context;
    const latest = takeoverAt(epochWrittenAt, settings.leaseMs, settings.lockTtlMs);
    // Not its whole time again after each of many elections: else it would never come to work.
    do await sleep(clock, RECOVERY_LOOK_MS, ended);
    while (this.parts.isRecovering() && clock.monotonic() < latest && !ended.aborted);
    while (!ended.aborted) {
      if (!this.mayRun()) {
        await sleep(clock, RETRY_MS, ended);
        continue;
      }
      const startedAt = clock.monotonic();
      try {
        const hasMore = await this.tick(time.now());
        this.retried.succeeded();
        const tookMs = clock.monotonic() - startedAt;
        this.adapt(tookMs);
        const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, tookMs));
        await sleep(clock, hasMore ? pauseMs : REST_MS, ended);
      } catch (error) {
        if (isError(error, "stale_epoch")) return this.context.deposed();
        this.retried.failed(error);
        await sleep(clock, RETRY_MS, ended);
      }
    }
  }

  /** One batch. `now`: cluster time. False: there is nothing more to do for now. */
  async tick(now: number): Promise<boolean> {
    this.pass ??= this.work(now);
    try {
      const { done } = await this.pass.next();
      if (done !== true) return true;
      this.pass = null;
      return false;
    } catch (error) {
      this.pass = null;
      throw error;
    }
  }

  /** Yields after each batch. `now` stays that of its beginning: what gets old meanwhile is for the next pass. */
  private async *work(now: number): AsyncGenerator<void, void> {
    for (const age of this.ages) {
      for (const { id } of this.parts.classes.all()) yield* this.expireJobs(age, id, now - age.ageMs);
    }
    if (now < this.nextScanAt) return;
    const { time } = this.context;
    const startedAt = time.now();
    if (expiresResults(this.retention)) yield* this.expireResults(now);
    yield* this.expireKeys(now);
    const longestMs = longestAgeMs(this.retention);
    if (longestMs !== null) this.removed.handlers += await this.parts.forgetHandlers(now - longestMs);
    for await (const removed of expireAudit(this.context, now)) {
      this.removed.audit += removed;
      yield;
    }
    this.nextScanAt = time.now() + Math.max(SCAN_REST_MS, SCAN_REST_FACTOR * (time.now() - startedAt));
  }

  private async *expireJobs(age: JobAge, classId: number, endedBy: number): AsyncGenerator<void, void> {
    const { store, epoch } = this.context;
    const { inFlight } = this.parts;
    const looked = this.lookedAt.get(age) ?? new Map<number, Cursor>();
    this.lookedAt.set(age, looked);
    for (;;) {
      const limit = this.rows;
      const page = await store.pageEnded({ classId, after: looked.get(classId) ?? null, endedBy, limit });
      const old = page.jobs.filter((job) => age.statuses.includes(job.status)).map((job) => job.id);
      // A job that a caller is changing may end up as anything; the cursor must not pass it.
      const ids = old.filter((id) => !inFlight.has(id));
      if (ids.length > 0) {
        const write = store.expireJobs(epoch, { ids, statuses: age.statuses, endedBy });
        inFlight.mark(ids, write);
        this.removed.jobs += await write;
        yield;
        // In this order: a row of a job that is there must be there too.
        for (let removed = MOST_ROWS; removed === MOST_ROWS; ) {
          removed = await store.expireResultsOfGone(epoch, ids, MOST_ROWS);
          this.removed.results += removed;
          yield;
        }
      } else if (page.jobs.length > 0) yield;
      if (ids.length < old.length) return;
      const last = page.jobs.at(-1);
      if (last !== undefined) looked.set(classId, { at: last.at, id: last.id });
      if (page.next === null) return;
    }
  }

  private async *expireResults(now: number): AsyncGenerator<void, void> {
    const { store, epoch } = this.context;
    do {
      if (this.resultsAfter === null) this.counter.restart();
      const page = await store.pageResultAges(this.resultsAfter, SCAN_ROWS);
      const expired: ClaimRef[] = [];
      // The two rows of a claim go together, when both have expired.
      const claims = Map.groupBy(page.rows, (row) => `${row.jobId}/${row.claim}`);
      for (const [row, ...late] of claims.values()) {
        if (row === undefined) continue;
        if ([row, ...late].every((one) => isExpired(one, now, this.retention))) {
          expired.push({ jobId: row.jobId, claim: row.claim });
          continue;
        }
        const lastEndTime = Math.max(...[row, ...late].map(({ endTime }) => endTime));
        const tooMany = this.counter.take({ ...row, lastEndTime }, now);
        if (tooMany !== null) expired.push({ jobId: tooMany.jobId, claim: tooMany.claim });
      }
      for (let start = 0; start < expired.length; start += MOST_ROWS) {
        const part = expired.slice(start, start + MOST_ROWS);
        this.removed.results += await store.expireResults(epoch, part, now - SHORTEST_AGE_MS);
        yield;
      }
      if (expired.length === 0) yield;
      this.resultsAfter = page.next;
    } while (this.resultsAfter !== null);
  }

  private async *expireKeys(now: number): AsyncGenerator<void, void> {
    const { store, epoch } = this.context;
    do {
      const page = { after: this.keysAfter, expiredBy: now - SHORTEST_AGE_MS, limit: SCAN_ROWS };
      const { removed, next } = await store.expireKeys(epoch, page);
      this.removed.keys += removed;
      this.keysAfter = next;
      yield;
    } while (this.keysAfter !== null);
  }

  private adapt(tookMs: number): void {
    if (tookMs > LONG_BATCH_MS) this.rows = Math.max(FEWEST_ROWS, Math.floor(this.rows / 2));
    else this.rows = Math.min(MOST_ROWS, this.rows + FEWEST_ROWS);
  }

  /**
   * Not while the database's clock is in doubt: against its own course since the election, and, as at an
   * election it is taken as it is, against this machine's.
   */
  private mayRun(): boolean {
    const { trusted, time, clock, logger } = this.context;
    const isOff = Math.abs(time.error) > BIG_ERROR_MS || Math.abs(time.now() - clock.now()) > SHORTEST_AGE_MS;
    if (isOff && !this.isPaused) {
      const offByMs = time.now() - clock.now();
      logger.error({ errorMs: time.error, offByMs }, "retention pauses: the database's clock is in doubt");
    }
    this.isPaused = isOff;
    return !isOff && trusted();
  }
}
