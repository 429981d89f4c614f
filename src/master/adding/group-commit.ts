/**
 * Many adds, few statements: what arrives while a statement is under way goes into the next one. An
 * add is answered after the commit (G1). A batch that the database refuses is split, so that a bad
 * row fails alone.
 */
import { ElasticJobError, isError } from "../../core/errors.ts";
import type { MasterContext } from "../context.ts";
import { type AddUnit, takeBatch } from "./add-batch.ts";

/** Statements at once: one is prepared while others wait for the disk. */
const MAX_WRITING = 3;
/** Jobs that wait for their statement: beyond it adds are refused, so that memory stays bounded. */
const MAX_QUEUED_JOBS = 50_000;

export class GroupCommit {
  private readonly context: MasterContext;
  private readonly queue: AddUnit[] = [];
  private queuedJobs = 0;
  private writing = 0;
  private readonly unknown: (unit: AddUnit) => void;

  /** `unknown` hears of units that may or may not have been stored. */
  constructor(context: MasterContext, unknown: (unit: AddUnit) => void) {
    this.context = context;
    this.unknown = unknown;
  }

  /** Throws `resource_exhausted` when too much is waiting already. */
  add(unit: AddUnit): void {
    if (this.queuedJobs + unit.records.length > MAX_QUEUED_JOBS && this.queuedJobs > 0) {
      throw new ElasticJobError(
        "resource_exhausted",
        `${this.queuedJobs} jobs are waiting to be stored; try again`,
      );
    }
    this.queue.push(unit);
    this.queuedJobs += unit.records.length;
    // After the others that arrived in the same turn of the event loop.
    queueMicrotask(() => this.flush());
  }

  private flush(): void {
    while (this.writing < MAX_WRITING && this.queue.length > 0) {
      const batch = takeBatch(this.queue);
      this.writing++;
      void this.write(batch).finally(() => {
        this.writing--;
        this.queuedJobs -= batch.reduce((sum, unit) => sum + unit.records.length, 0);
        this.flush();
      });
    }
  }

  private async write(batch: readonly AddUnit[]): Promise<void> {
    if (!this.context.trusted() || this.context.ended.aborted) {
      const error = new ElasticJobError("unavailable", "this node is no longer master; try again");
      for (const unit of batch) unit.reject(error);
      return;
    }
    try {
      await this.context.store.insertJobs(
        this.context.epoch,
        batch.flatMap((unit) => unit.records),
        batch.flatMap((unit) => unit.keys),
      );
      for (const unit of batch) unit.resolve();
    } catch (error) {
      const splits = isError(error, "invalid_argument") || isError(error, "already_exists");
      if (splits && batch.length > 1) {
        const middle = batch.length >> 1;
        await this.write(batch.slice(0, middle));
        await this.write(batch.slice(middle));
        return;
      }
      if (isError(error, "stale_epoch")) this.context.deposed();
      const known =
        error instanceof ElasticJobError
          ? error
          : new ElasticJobError("internal", "could not store", { cause: error });
      for (const unit of batch) {
        if (!splits && known.code !== "stale_epoch") this.unknown(unit);
        unit.reject(known);
      }
    }
  }
}
