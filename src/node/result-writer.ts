/**
 * Writes results straight to the database, in batches: first the rows in jobresult, the arbiter; then
 * their projection onto jobinfo, only for rows that are first. Everything can be repeated, so after an
 * error it is, until the database answers: a result that was reached is never given up.
 */
import { type Clock, sleep } from "../core/clock.ts";
import type { JobState, ResultRecord } from "../core/job.ts";
import type { Logger } from "../core/logger.ts";
import type { JobStore, Projection } from "../store/job-store.ts";

/** Rows of one statement. */
const MAX_BATCH = 500;
/** Batches at once: while they are written, the next one gathers. */
const MAX_WRITING = 2;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

export interface EndedClaim {
  readonly row: ResultRecord;
  readonly state: JobState;
  readonly revision: number;
  /** Called once the row is there. `projected`: the job's row says so too. */
  readonly written: (projected: boolean) => void;
}

export class ResultWriter {
  private readonly store: JobStore;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly queue: EndedClaim[] = [];
  private readonly stopping = new AbortController();
  private writing = 0;
  private idle: (() => void)[] = [];

  constructor(parts: { store: JobStore; clock: Clock; logger: Logger }) {
    this.store = parts.store;
    this.clock = parts.clock;
    this.logger = parts.logger;
  }

  /** Results that are not written yet. */
  get backlog(): number {
    return this.queue.length + this.writing * MAX_BATCH;
  }

  add(ended: EndedClaim): void {
    this.queue.push(ended);
    if (this.queue.length === 1) this.clock.after(0, () => this.flush());
  }

  /** Waits until all is written, at most `ms`; then gives up what is left: its claims will be LOST. */
  async stop(ms: number): Promise<void> {
    const written = new AbortController();
    this.idle.push(() => written.abort());
    this.flush();
    await sleep(this.clock, ms, written.signal);
    this.stopping.abort();
  }

  private flush(): void {
    while (this.writing < MAX_WRITING && this.queue.length > 0) {
      this.writing++;
      void this.write(this.queue.splice(0, MAX_BATCH)).finally(() => {
        this.writing--;
        this.flush();
      });
    }
    if (this.writing === 0 && this.queue.length === 0) {
      for (const resolve of this.idle.splice(0)) resolve();
    }
  }

  private async write(batch: readonly EndedClaim[]): Promise<void> {
    const ordered = [...batch].sort((a, b) => a.row.jobId - b.row.jobId || a.row.claim - b.row.claim);
    const writes = await this.persist(() => this.store.writeResults(ordered.map(({ row }) => row)));
    if (writes === null) return;
    const first = ordered.filter((_, index) => writes[index] === "first");
    const updateTime = Math.max(...ordered.map(({ row }) => row.endTime));
    const projections = first.map(
      ({ row, state, revision }): Projection => ({
        jobId: row.jobId,
        claim: row.claim,
        revision,
        updateTime,
        ...state,
      }),
    );
    const applied = await this.persist(() => this.store.projectJobs(projections));
    if (applied === null) return;
    const projected = new Set(first.filter((_, index) => applied[index]));
    for (const ended of ordered) ended.written(projected.has(ended));
  }

  private async persist<T>(write: () => Promise<T>): Promise<T | null> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(MAX_RETRY_MS, waitMs * 2)) {
      try {
        return await write();
      } catch (error) {
        if (this.stopping.signal.aborted) return null;
        this.logger.warn({ error }, "could not write results; trying again");
        await sleep(this.clock, waitMs, this.stopping.signal);
      }
    }
  }
}
