/**
 * When a mastership begins with newer time zone data than the waiting occurrences were computed by, they are moved to
 * their local times by the new rules: a page at a time, each by a guarded write of its own. The database learns at the very end
 * that it is done; until then whoever is master begins again, which finds those that were moved in their places.
 */
import { sleep } from "../../core/clock.ts";
import { ElasticJobError, isError } from "../../core/errors.ts";
import { type JobRecord, STORED_STATUS, type StoredStatus } from "../../core/job.ts";
import { followsZone, moveOccurrence } from "../../core/state/move-occurrence.ts";
import { unknownZoneOf } from "../../core/state/unknown-zone.ts";
import type { ClaimRef } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { Control } from "./control.ts";

const PAGE_JOBS = 100;
const PAUSE_MS = 10;
const RETRY_MS = 5_000;

export class ZoneChange {
  private readonly context: MasterContext;
  private readonly control: Pick<Control, "moveOccurrence">;

  constructor(context: MasterContext, control: Pick<Control, "moveOccurrence">) {
    this.context = context;
    this.control = control;
  }

  async run(): Promise<void> {
    const { clock, ended, logger } = this.context;
    while (!ended.aborted) {
      try {
        return await this.moveAll();
      } catch (error) {
        if (ended.aborted) return;
        if (isError(error, "stale_epoch")) return this.context.deposed();
        logger.warn(
          { error },
          "could not compute the waiting occurrences by the new time zone data; trying again",
        );
        await sleep(clock, RETRY_MS, ended);
      }
    }
  }

  private async moveAll(): Promise<void> {
    const { store, epoch, settings, logger } = this.context;
    const { zoneData } = settings;
    const { newest, computed } = await store.readZoneVersions();
    if (zoneData < newest) {
      // What this master computes, one with newer data is to compute again.
      if (computed !== "") await store.setZonesComputed(epoch, "");
      return;
    }
    if (computed === zoneData) return;
    // Their next occurrence was computed when they were claimed.
    const running = await this.runningOnes();
    let moved = 0;
    for (const status of [STORED_STATUS.WAITING, STORED_STATUS.PAUSED]) {
      for await (const record of this.jobs(status)) moved += await this.move(record);
    }
    moved += await this.moveEnded(running);
    await store.setZonesComputed(epoch, zoneData);
    if (moved > 0) {
      logger.info({ from: computed, to: zoneData, moved }, "moved waiting occurrences by new time zone data");
    }
  }

  private async runningOnes(): Promise<readonly ClaimRef[]> {
    const running: ClaimRef[] = [];
    for await (const { id, claim } of this.jobs(STORED_STATUS.RUNNING)) running.push({ jobId: id, claim });
    return running;
  }

  private async *jobs(status: StoredStatus): AsyncGenerator<JobRecord, void> {
    const { store, clock, ended } = this.context;
    for (let before: number | null = null; ; ) {
      this.checkOngoing();
      const page: Awaited<ReturnType<typeof store.listJobs>> = await store.listJobs(
        { status },
        { before, limit: PAGE_JOBS },
      );
      for (const record of page.items) if (followsZone(record)) yield record;
      if (page.next === null) return;
      before = page.next;
      await sleep(clock, PAUSE_MS, ended);
    }
  }

  /** How many were moved: 1 or 0. */
  private async move(record: JobRecord): Promise<number> {
    if (unknownZoneOf(record.spec) !== null) return 0;
    if (moveOccurrence(record, this.context.time.now()) === null) return 0;
    this.checkOngoing();
    try {
      const after = await this.control.moveOccurrence(record.id);
      return after.scheduledAt === record.scheduledAt ? 0 : 1;
    } catch (error) {
      // It was deleted meanwhile.
      if (isError(error, "not_found")) return 0;
      throw error;
    }
  }

  /** Each once its claim has ended, until all have. */
  private async moveEnded(claims: readonly ClaimRef[]): Promise<number> {
    const { store, clock, ended } = this.context;
    let moved = 0;
    for (let left = claims; left.length > 0; ) {
      const records = await store.readJobs(left.map(({ jobId }) => jobId));
      const stillRunning: ClaimRef[] = [];
      for (const ref of left) {
        this.checkOngoing();
        const record = records.get(ref.jobId);
        // A newer claim was made by this master, by the new rules.
        if (record === undefined || record.claim !== ref.claim) continue;
        if (record.status === STORED_STATUS.RUNNING) stillRunning.push(ref);
        else moved += await this.move(record);
      }
      left = stillRunning;
      if (left.length > 0) await sleep(clock, RETRY_MS, ended);
    }
    return moved;
  }

  private checkOngoing(): void {
    if (this.context.ended.aborted || !this.context.trusted()) {
      throw new ElasticJobError("unavailable", "this node is not master at the moment");
    }
  }
}
