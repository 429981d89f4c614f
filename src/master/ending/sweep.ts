/**
 * Looks behind the cursors of memory, a bounded number of rows a call. For RUNNING jobs that nobody
 * speaks for, also of classes that no present node can take. And for overdue jobs that memory has
 * missed: there must never be one, so each is a warning and counted.
 */
import { sleep } from "../../core/clock.ts";
import { isError } from "../../core/errors.ts";
import { type JobRecord, STORED_STATUS } from "../../core/job.ts";
import { Retried } from "../../core/log/retried.ts";
import type { Queues } from "../../core/queues/queues.ts";
import type { Cursor } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import type { ClassRegistry } from "../memory/class-registry.ts";
import type { InFlight } from "../memory/in-flight.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import type { Pages } from "../memory/pages.ts";

const PAGE_ROWS = 1000;
/** A job this late that memory knows nothing of was missed: writes take milliseconds. */
const OVERDUE_MS = 15_000;
const PAUSE_MS = 200;
const REST_MS = 30_000;

export class Sweep {
  private readonly context: MasterContext;
  private readonly retried: Retried;
  private readonly parts: {
    readonly classes: ClassRegistry;
    readonly pages: Pages;
    readonly queues: Queues;
    readonly memory: JobMemory;
    readonly inFlight: InFlight;
    readonly holders: ClaimHolders;
  };
  /** Overdue jobs that memory had missed, and claims that nobody held. */
  missed = 0;
  /** Claims that nobody held when they were looked at last, by job. */
  private readonly heldByNobody = new Map<number, number>();

  constructor(context: MasterContext, parts: Sweep["parts"]) {
    this.context = context;
    this.retried = new Retried(context, "could not look for missed jobs; trying again");
    this.parts = parts;
  }

  async run(): Promise<void> {
    const { ended, clock } = this.context;
    while (!ended.aborted) {
      try {
        for (const { id } of this.parts.classes.all()) await this.sweepClass(id);
        this.retried.succeeded();
      } catch (error) {
        if (isError(error, "stale_epoch")) return this.context.deposed();
        this.retried.failed(error);
      }
      await sleep(clock, REST_MS, ended);
    }
  }

  private async sweepClass(classId: number): Promise<void> {
    const { ended, clock, store, time } = this.context;
    let after: Cursor | null = null;
    do {
      const through = time.now() - (this.parts.pages.isPresent(classId) ? OVERDUE_MS : 0);
      const page = await store.pageJobs({ classId, after, through, limit: PAGE_ROWS, maxPayloadBytes: 0 });
      // Without trust another master may have added what memory does not know.
      if (!this.context.trusted()) return;
      for (const { record } of page.jobs) this.look(record);
      after = page.next;
      if (after !== null) await sleep(clock, PAUSE_MS, ended);
    } while (after !== null && !ended.aborted);
  }

  /** Memory says that it runs: then somebody must hold its claim. That nobody does must be seen twice. */
  private lookForHolder(record: JobRecord): void {
    const { holders } = this.parts;
    const before = this.heldByNobody.get(record.id);
    this.heldByNobody.delete(record.id);
    if (record.status !== STORED_STATUS.RUNNING || holders.holderOf(record) !== null) return;
    if (before !== record.claim) {
      this.heldByNobody.set(record.id, record.claim);
      return;
    }
    this.missed++;
    this.context.logger.warn({ jobId: record.id, claim: record.claim }, "nobody held a claim that ran");
    holders.found(record);
  }

  private look(record: JobRecord): void {
    const { queues, inFlight, pages, memory, holders } = this.parts;
    if (inFlight.has(record.id)) return;
    const known = queues.get(record.id);
    if (known !== undefined) {
      if (known.place === "running" && known.record.claim === record.claim) this.lookForHolder(record);
      return;
    }
    if (record.status === STORED_STATUS.RUNNING) holders.found(record);
    else if (pages.isLoaded(record)) {
      this.missed++;
      this.context.logger.warn({ jobId: record.id, at: record.at }, "memory had missed an overdue job");
      memory.place(record, false);
    }
  }
}
