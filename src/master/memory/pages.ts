/**
 * What of the database is in memory. For each class that some node can take: every WAITING job up to
 * a cursor in (at, id), at most an equal share of the memory, at most one horizon ahead. Jobs beyond
 * the cursor are read, page by page, when their time comes nearer or room is made.
 *
 * A row that a page brings may be out of date by the time it arrives: jobs that are in memory, or
 * were written about since the page began, are as memory says, not as the page says. And a job
 * written while a page is being read belongs into memory if it lies within that page.
 */
import { sleep } from "../../core/clock.ts";
import { isError } from "../../core/errors.ts";
import { Wakeup } from "../../core/flow/wakeup.ts";
import { type JobRecord, STORED_STATUS } from "../../core/job.ts";
import { Retried } from "../../core/log/retried.ts";
import type { Queues } from "../../core/queues/queues.ts";
import type { Cursor, JobPage } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { ClaimHolders } from "./claim-holders.ts";
import type { Turn } from "./turn.ts";

/** A bigger payload (in UTF-16 units, about its bytes) is not kept in memory, but read when the job is claimed. */
export const MAX_PAYLOAD_IN_MEMORY = 4096;
const PAGE_ROWS = 1000;
/** How long to wait after the database did not answer. */
const RETRY_MS = 500;
const LAST_ID = Number.MAX_SAFE_INTEGER;

interface ClassPages {
  /** All up to here, inclusive, is in memory; null: nothing is. */
  cursor: Cursor | null;
  /** While a page is being read: how far it may go. */
  readingThrough: number | null;
}

function isUpTo(record: JobRecord, cursor: Cursor | null): boolean {
  return cursor !== null && (record.at < cursor.at || (record.at === cursor.at && record.id <= cursor.id));
}

export interface PagesParts {
  readonly queues: Queues;
  readonly holders: Pick<ClaimHolders, "found">;
  readonly turn: Pick<Turn, "ask">;
}

export class Pages {
  private readonly context: MasterContext;
  private readonly retried: Retried;
  private readonly parts: PagesParts;
  private readonly classes = new Map<number, ClassPages>();
  /** Ids written about while a page is being read. */
  private touched: Set<number> | null = null;
  private readonly wakeup = new Wakeup();

  constructor(context: MasterContext, parts: PagesParts) {
    this.context = context;
    this.retried = new Retried(context, "could not read waiting jobs; trying again");
    this.parts = parts;
  }

  /** A class that has no rows yet: all of it is in memory. */
  addEmptyClass(classId: number): void {
    this.classes.set(classId, { cursor: { at: this.horizon(), id: LAST_ID }, readingThrough: null });
  }

  /** The classes that present nodes can take, with those whose nodes may come back. */
  setPresent(classIds: ReadonlySet<number>): void {
    const before = this.classes.size;
    for (const id of classIds) {
      if (!this.classes.has(id)) this.classes.set(id, { cursor: null, readingThrough: null });
    }
    if (this.classes.size > before) this.kick();
  }

  isPresent(classId: number): boolean {
    return this.classes.has(classId);
  }

  /** Whether memory holds all jobs up to this one. */
  isLoaded(record: JobRecord): boolean {
    return isUpTo(record, this.classes.get(record.classId)?.cursor ?? null);
  }

  /** Room was made, or time has passed. */
  kick(): void {
    if (this.nextToRead() !== null) this.wakeup.wake();
  }

  /** A write about this job has settled: what a page that is being read says of it counts no more. */
  touch(jobId: number): void {
    this.touched?.add(jobId);
  }

  /** Whether a job that was just written belongs into memory; if there is no room it is left to a later page. */
  admits(record: JobRecord): boolean {
    const pages = this.classes.get(record.classId);
    if (pages === undefined) return false;
    const within =
      isUpTo(record, pages.cursor) || (pages.readingThrough !== null && record.at <= pages.readingThrough);
    if (!within) return false;
    if (this.parts.queues.classSize(record.classId) < this.share()) return true;
    // From here on memory is not complete: read again from just before it.
    if (isUpTo(record, pages.cursor)) pages.cursor = { at: record.at, id: record.id - 1 };
    if (pages.readingThrough !== null) pages.readingThrough = Math.min(pages.readingThrough, record.at - 1);
    return false;
  }

  /** Reads pages until the mastership ends. */
  async run(): Promise<void> {
    const { ended, clock, settings } = this.context;
    while (!ended.aborted) {
      const classId = this.nextToRead();
      if (classId === null) {
        await this.wakeup.wait(clock, settings.horizonMs / 4, ended);
        continue;
      }
      try {
        await this.readPage(classId);
        this.retried.succeeded();
      } catch (error) {
        if (isError(error, "stale_epoch")) return this.context.deposed();
        this.retried.failed(error);
        await sleep(clock, RETRY_MS, ended);
      }
    }
  }

  private horizon(): number {
    return this.context.time.now() + this.context.settings.horizonMs;
  }

  private share(): number {
    return Math.max(
      PAGE_ROWS,
      Math.floor(this.context.settings.maxJobsInMemory / Math.max(1, this.classes.size)),
    );
  }

  /** The class that is least far ahead, of those that have room and are not far enough. */
  private nextToRead(): number | null {
    const share = this.share();
    const enough = this.context.time.now() + this.context.settings.horizonMs / 2;
    let least: { id: number; at: number } | null = null;
    for (const [id, pages] of this.classes) {
      const at = pages.cursor?.at ?? Number.NEGATIVE_INFINITY;
      if (at >= enough || this.parts.queues.classSize(id) > share - PAGE_ROWS / 2) continue;
      if (least === null || at < least.at) least = { id, at };
    }
    return least?.id ?? null;
  }

  private async readPage(classId: number): Promise<void> {
    const pages = this.classes.get(classId);
    if (pages === undefined) return;
    const through = this.horizon();
    const touched = new Set<number>();
    this.touched = touched;
    pages.readingThrough = through;
    const after = pages.cursor;
    let page: JobPage;
    try {
      page = await this.context.store.pageJobs({
        classId,
        after,
        through,
        limit: PAGE_ROWS,
        maxPayloadBytes: MAX_PAYLOAD_IN_MEMORY,
      });
    } finally {
      this.touched = null;
    }
    const cutAt = pages.readingThrough ?? through;
    pages.readingThrough = null;
    if (this.context.ended.aborted) return;
    for (const { record, payloadLoaded } of page.jobs) {
      if (this.parts.queues.get(record.id) !== undefined || touched.has(record.id)) continue;
      if (record.status === STORED_STATUS.RUNNING) this.parts.holders.found(record);
      else if (record.status === STORED_STATUS.WAITING) this.parts.queues.wait(record, payloadLoaded);
    }
    const reached = page.next ?? { at: through, id: LAST_ID };
    const moved = pages.cursor !== after;
    // A job that found no room meanwhile has set the cursor back, or cut the page short.
    if (!moved) pages.cursor = reached.at <= cutAt ? reached : { at: cutAt, id: LAST_ID };
    this.parts.turn.ask();
  }
}
