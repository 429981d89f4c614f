/**
 * The ends that the master writes: a claim is LOST, an occurrence is skipped, a running job is
 * cancelled. Always in the same order: the row in jobresult, which arbitrates; then the projection
 * onto jobinfo; then memory. If a row is there already, that one counts, and is projected instead.
 */

import { nextDueAfterRow } from "../../core/calendar/next-due.ts";
import { sleep } from "../../core/clock.ts";
import { isError } from "../../core/errors.ts";
import { type JobRecord, NEVER, type OccurrenceState, OUTCOME, STORED_STATUS } from "../../core/job.ts";
import { Retried } from "../../core/log/retried.ts";
import { project, retryAfterLoss } from "../../core/state/ending.ts";
import type { DueDecision } from "../../core/state/misfire.ts";
import type { ClaimRef } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import type { InFlight } from "../memory/in-flight.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import { type EndDetails, finalRow, notEnded } from "./final-row.ts";
import type { FinalRows, MasterEnd } from "./final-rows.ts";

const RETRY_MS = 200;
/** Longer than a write can hang in the database: its wait for locks is limited to 2 s. */
const HUNG_WRITE_MS = 5000;
/** How many jobs one statement is about. */
const BATCH = 500;

export interface EndingsParts {
  readonly memory: JobMemory;
  readonly inFlight: InFlight;
  readonly holders: ClaimHolders;
  readonly finalRows: FinalRows;
}

export class Endings {
  private readonly context: MasterContext;
  private readonly retried: Retried;
  private readonly parts: EndingsParts;

  constructor(context: MasterContext, parts: EndingsParts) {
    this.context = context;
    this.retried = new Retried(context, "could not end claims; trying again");
    this.parts = parts;
  }

  /** Ends these claims: nobody holds them any more. */
  lose(claims: readonly ClaimRef[], reason: string): void {
    const claimOf = new Map(claims.map(({ jobId, claim }) => [jobId, claim]));
    this.eachBatch([...claimOf.keys()], async (ids) => {
      const { settings, time } = this.context;
      // Never a newer claim of the same job, which may be running elsewhere by now.
      const lost = await this.readRunning(ids, claimOf);
      const now = time.now();
      const ends = lost.map((record): MasterEnd => {
        if (record.node === 0) return { record, row: notEnded(record, now) };
        // It may be lost before its time.
        const retry = retryAfterLoss(record.lost, Math.max(now, record.at), settings.maxLost);
        const row = finalRow(record, OUTCOME.LOST, now, { reason, retryAt: retry.at });
        return { record, row, whyOver: retry.whyOver };
      });
      await this.parts.finalRows.write(ends);
      await this.projectFinalRows(lost);
    });
  }

  /**
   * Projects what nodes could not project: their jobs were changed while they ran, or lost a race. No handler
   * runs any more under these claims; under a newer one of the same job it may.
   */
  settle(claims: readonly ClaimRef[]): void {
    const claimOf = new Map(claims.map(({ jobId, claim }) => [jobId, claim]));
    this.eachBatch([...claimOf.keys()], async (ids) => {
      await this.projectFinalRows(await this.readRunning(ids, claimOf));
    });
  }

  /**
   * Reads jobs again whose write had an unknown outcome, until the database answers; and once more,
   * as the write may have hung in the database and be carried out after the first look.
   */
  reread(jobIds: readonly number[]): void {
    const { clock, ended } = this.context;
    const read = () =>
      this.eachBatch(jobIds, async (ids) => {
        const running = await this.readRunning(ids);
        for (const record of running) this.parts.holders.found(record);
      });
    read();
    void sleep(clock, HUNG_WRITE_MS, ended).then(() => {
      if (!ended.aborted) read();
    });
  }

  /** Records occurrences of a job that is WAITING as SKIPPED. Returns when memory says what became of it. */
  async skip(record: JobRecord, decision: Extract<DueDecision, { kind: "skip" }>): Promise<void> {
    await this.endForNobody(record, OUTCOME.SKIPPED, {
      reason: decision.reason,
      retryAt: null,
      skippedThrough: decision.count > 1 ? decision.through : null,
      skippedCount: decision.count,
    });
  }

  /** Ends the current occurrence of a job that waits or is paused. Null: it does not any more. */
  async cancelWaiting(record: JobRecord): Promise<JobRecord | null> {
    const details = { reason: "cancelled by a caller", retryAt: null };
    if (!(await this.endForNobody(record, OUTCOME.CANCELLED, details))) return null;
    return (await this.context.store.readJobs([record.id])).get(record.id) ?? null;
  }

  /** A claim for nobody, its row, the projection. False: the job is no longer as it was. */
  private async endForNobody(
    record: JobRecord,
    outcome: typeof OUTCOME.SKIPPED | typeof OUTCOME.CANCELLED,
    details: EndDetails,
  ): Promise<boolean> {
    const { store, epoch, time } = this.context;
    const now = time.now();
    const claim = record.claim + 1;
    await store.claimJobs(epoch, 0, [{ jobId: record.id, claim, revision: record.revision }], now);
    const claimed = (await store.readJobs([record.id])).get(record.id);
    if (claimed === undefined) {
      this.parts.memory.remove(record.id);
      return false;
    }
    if (claimed.status !== STORED_STATUS.RUNNING || claimed.claim !== claim) {
      if (claimed.status !== STORED_STATUS.RUNNING) this.parts.memory.place(claimed);
      return false;
    }
    const row = finalRow(claimed, outcome, now, details);
    await this.parts.finalRows.write([{ record: claimed, row: { ...row, attempt: 0 } }]);
    await this.projectFinalRows([claimed]);
    return true;
  }

  /** Brings RUNNING jobs in line with their final rows; leaves those that have none. No handler of theirs may run. */
  async projectFinalRows(running: readonly JobRecord[]): Promise<void> {
    const { store, epoch, time } = this.context;
    const claimOf = new Map(running.map(({ id, claim }) => [id, claim]));
    for (let tries = 0, jobs = running; jobs.length > 0 && tries < 10; tries++) {
      const rows = await store.readFinalRows(
        jobs.map((record) => ({ jobId: record.id, claim: record.claim })),
      );
      const updateTime = time.now();
      const ended = jobs.flatMap((record) => {
        const row = rows.get(record.id);
        if (row === undefined) return [];
        const guard = { jobId: record.id, claim: record.claim, revision: record.revision };
        const projected = project(record, row, nextDueAfterRow(record, row));
        const state = { ...(record.spec.isPausing ? heldBack(projected) : projected), updateTime };
        return [{ record, projection: { ...guard, ...state } }];
      });
      const applied = await store.projectJobs(
        ended.map(({ projection }) => projection),
        epoch,
      );
      const missed: number[] = [];
      for (const [index, { record, projection }] of ended.entries()) {
        const { jobId: _, ...state } = projection;
        if (applied[index]) this.parts.memory.place({ ...record, ...state });
        else missed.push(record.id);
      }
      // Changed meanwhile, or projected by its node: whatever is still RUNNING is tried again.
      jobs = missed.length > 0 ? await this.readRunning(missed, claimOf) : [];
    }
  }

  /**
   * Brings memory in line for those that do not run (any more), and returns the others; of the jobs in `claimOf`
   * only those that run under that claim, not under a newer one.
   */
  private async readRunning(
    ids: readonly number[],
    claimOf?: ReadonlyMap<number, number>,
  ): Promise<JobRecord[]> {
    const records = await this.context.store.readJobs(ids);
    const running: JobRecord[] = [];
    for (const id of ids) {
      const record = records.get(id);
      if (record === undefined) this.parts.memory.remove(id);
      else if (record.status !== STORED_STATUS.RUNNING) this.parts.memory.place(record);
      else if (claimOf === undefined || claimOf.get(id) === record.claim) running.push(record);
    }
    return running;
  }

  /** Works on the jobs in batches, each job after the write about it that is in flight, until it is done or the mastership ends. */
  private eachBatch(jobIds: readonly number[], work: (ids: readonly number[]) => Promise<void>): void {
    const free: number[] = [];
    const busy: number[] = [];
    for (const id of jobIds) (this.parts.inFlight.has(id) ? busy : free).push(id);
    for (let start = 0; start < free.length; start += BATCH) {
      const ids = free.slice(start, start + BATCH);
      this.parts.inFlight.mark(
        ids,
        this.persist(() => work(ids)),
      );
    }
    for (const id of busy) void this.parts.inFlight.alone(id, () => this.persist(() => work([id])));
  }

  /** Everything here can be repeated: it is, until the database has answered. */
  async persist(work: () => Promise<void>): Promise<void> {
    const { ended, clock } = this.context;
    while (!ended.aborted) {
      try {
        if (this.context.trusted()) {
          await work();
          return this.retried.succeeded();
        }
      } catch (error) {
        if (isError(error, "stale_epoch")) return this.context.deposed();
        this.retried.failed(error);
      }
      await sleep(clock, RETRY_MS, ended);
    }
  }
}

/** Paused while it ran: what would wait is held back. */
function heldBack(state: OccurrenceState): OccurrenceState {
  if (state.status !== STORED_STATUS.WAITING) return state;
  return { ...state, status: STORED_STATUS.PAUSED, at: NEVER };
}
