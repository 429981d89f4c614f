/**
 * Writes results straight to the database, in batches: first the rows in jobresult, the arbiter; then
 * their projection onto jobinfo, only for rows that are first. Everything can be repeated, so while the
 * database does not answer it is: a result that was reached is never given up. A row that the database
 * refuses (an output that it does not take) is written as FAILED instead, and holds up no other.
 */
import { type Clock, sleep } from "../core/clock.ts";
import { isError } from "../core/errors.ts";
import { Gather } from "../core/flow/gather.ts";
import { halveRefused } from "../core/flow/halve-refused.ts";
import { farEnd, hasEnded, type JobError, type OccurrenceState } from "../core/job.ts";
import { Retried } from "../core/log/retried.ts";
import type { Logger } from "../core/logger.ts";
import type { JobStore, Projection } from "../store/job-store.ts";
import type { ClaimEnd } from "./held-claim.ts";

/** Rows of one statement. */
const MAX_BATCH = 512;
/** Batches at once. The next one gathers while one is written; it goes beside it when it is full, or that one takes long. */
const MAX_WRITING = 2;
const LONG_MS = 50;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

export interface EndedClaim extends ClaimEnd {
  readonly revision: number;
  /** How it ends when the database refuses the row; null: it is that end. */
  readonly asFailed: ((error: JobError) => ClaimEnd) | null;
  /** Called once the row is there, if it is the one that counts. */
  readonly becameFinal: (end: ClaimEnd) => void;
  /** Called once the row is there. `projected`: the job's row says so too. `state`: what follows from the row. */
  readonly written: (projected: boolean, state: OccurrenceState) => void;
}

interface WrittenRow {
  readonly ended: EndedClaim;
  readonly isFirst: boolean;
}

export class ResultWriter {
  private readonly store: JobStore;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly retried: Retried;
  private readonly refusedRow: Retried;
  private readonly ended: Gather<EndedClaim>;
  private readonly stopping = new AbortController();
  private lastBeganAt = 0;
  /** Rows that the database takes in no form, and that wait for another try. */
  private deferred = 0;
  private idle: (() => void)[] = [];

  constructor(parts: { store: JobStore; clock: Clock; logger: Logger }) {
    this.store = parts.store;
    this.clock = parts.clock;
    this.logger = parts.logger;
    this.retried = new Retried(parts, "could not write results; trying again");
    this.refusedRow = new Retried(parts, "could not write a result; trying again later");
    this.ended = new Gather({
      mostBatches: MAX_WRITING,
      take: ({ length }, writing) => (this.gathers(length, writing) ? 0 : Math.min(length, MAX_BATCH)),
      run: (batch) => this.writeInTime(batch),
      soon: (flush) => this.clock.after(0, flush),
      idle: () => this.tellIdle(),
    });
  }

  /** Results that are not written yet. */
  get backlog(): number {
    return this.ended.waiting + this.ended.underWay * MAX_BATCH + this.deferred;
  }

  add(ended: EndedClaim): void {
    this.ended.add(ended);
  }

  /** Waits until all is written, at most `ms`; then gives up what is left: its claims will be LOST. */
  async stop(ms: number): Promise<void> {
    const written = new AbortController();
    this.idle.push(() => written.abort());
    this.ended.flush();
    await sleep(this.clock, ms, written.signal);
    this.stopping.abort();
  }

  private tellIdle(): void {
    if (this.deferred > 0) return;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private gathers(waiting: number, writing: number): boolean {
    if (writing === 0 || waiting >= MAX_BATCH) return false;
    return this.clock.monotonic() - this.lastBeganAt < LONG_MS;
  }

  /** When it takes long, the next batch goes beside it. */
  private async writeInTime(batch: readonly EndedClaim[]): Promise<void> {
    this.lastBeganAt = this.clock.monotonic();
    const cancel = this.clock.after(LONG_MS, () => this.ended.flush());
    await this.write(batch).finally(cancel);
  }

  private async write(batch: readonly EndedClaim[]): Promise<void> {
    const ordered = batch.toSorted((a, b) => a.row.jobId - b.row.jobId || a.row.claim - b.row.claim);
    const updateTime = ordered.reduce((latest, { row }) => Math.max(latest, row.endTime), 0);
    const rows = await this.writeRows(ordered);
    if (this.deferred === 0) this.refusedRow.succeeded();
    const written = rows.map(({ ended, isFirst }) => {
      if (isFirst) ended.becameFinal(ended);
      return { ended, isFirst, projection: projectionOf(ended, updateTime) };
    });
    const first = written.filter(({ isFirst }) => isFirst).map(({ projection }) => projection);
    const projected = new Set(await this.project(first));
    if (this.stopping.signal.aborted) return;
    for (const { ended, projection } of written) ended.written(projected.has(projection), projection);
  }

  /** The rows that are there when it returns: not one that the database takes in no form, nor any after `stop`. */
  private async writeRows(batch: readonly EndedClaim[]): Promise<WrittenRow[]> {
    return this.persist(
      batch,
      async (part) => {
        const writes = await this.store.writeResults(part.map(({ row }) => row));
        return part.map((ended, index) => ({ ended, isFirst: writes[index] === "first" }));
      },
      async (ended, error) => {
        if (!isError(error, "invalid_argument") || ended.asFailed === null) {
          this.refusedRow.failed(error, { jobId: ended.row.jobId });
          this.defer(ended);
          return [];
        }
        this.logger.warn({ error, jobId: ended.row.jobId }, "the database refused a result: it is FAILED");
        const message = `its result could not be stored: ${error.message}`;
        return this.writeRows([
          { ...ended, ...ended.asFailed({ name: "ResultRefused", message }), asFailed: null },
        ]);
      },
    );
  }

  /** Those that applied. What the database refuses is left to the master. */
  private project(projections: readonly Projection[]): Promise<Projection[]> {
    if (projections.length === 0) return Promise.resolve([]);
    return this.persist(
      projections,
      async (part) => {
        const applied = await this.store.projectJobs(part);
        return part.filter((_, index) => applied[index]);
      },
      async ({ jobId }, error) => {
        this.logger.warn({ error, jobId }, "could not project a result");
        return [];
      },
    );
  }

  /**
   * Tries again as long as the database is out of reach. What it refuses is halved until the one that
   * it does not take is alone, so that this one holds up no other.
   */
  private async persist<Item, Result>(
    batch: readonly Item[],
    write: (part: readonly Item[]) => Promise<Result[]>,
    refused: (item: Item, error: unknown) => Promise<Result[]>,
  ): Promise<Result[]> {
    const written = await halveRefused(batch, {
      attempt: (part) => this.untilAnswered(() => write(part)),
      splits: () => true,
      failed: async (part, error) => (await Promise.all(part.map((item) => refused(item, error)))).flat(),
    });
    return written.flat();
  }

  /** Throws what the database refuses. Once this has stopped, nothing was written. */
  private async untilAnswered<Result>(write: () => Promise<Result[]>): Promise<Result[]> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(MAX_RETRY_MS, waitMs * 2)) {
      try {
        const results = await write();
        this.retried.succeeded();
        return results;
      } catch (error) {
        if (this.stopping.signal.aborted) return [];
        // It refuses the account, or has no such table: no part of the batch would fare better.
        const isForAll = isError(error, "unavailable") || isError(error, "failed_precondition");
        if (!isForAll) throw error;
        this.retried.failed(error);
        await sleep(this.clock, waitMs, this.stopping.signal);
      }
    }
  }

  private defer(ended: EndedClaim): void {
    this.deferred++;
    void sleep(this.clock, MAX_RETRY_MS, this.stopping.signal).then(() => {
      this.deferred--;
      if (!this.stopping.signal.aborted) this.add(ended);
    });
  }
}

/** Jobs that end for good in one batch end with the last of it: alike, they are projected in one statement. */
function projectionOf({ row, state, revision }: EndedClaim, updateTime: number): Projection {
  const { jobId, claim } = row;
  const end = hasEnded(state) ? { at: farEnd(updateTime), endedAt: updateTime } : undefined;
  return { ...state, ...end, jobId, claim, revision, updateTime };
}
