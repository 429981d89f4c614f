/**
 * Many adds, few statements: what arrives while statements are under way goes into the next one. An
 * add is answered after the commit (G1). A batch that the database refuses is halved, so that a bad
 * unit fails alone.
 */
import { ElasticJobError, isError } from "../../core/errors.ts";
import { Gather } from "../../core/flow/gather.ts";
import { halveRefused } from "../../core/flow/halve-refused.ts";
import type { MasterContext } from "../context.ts";
import { type AddUnit, batchLength } from "./add-batch.ts";

/** Statements at once: one is prepared while others wait for the disk. */
const MAX_WRITING = 3;
/** Jobs that wait for their statement: beyond it adds are refused, so that memory stays bounded. */
const MAX_QUEUED_JOBS = 50_000;

/** Whether the database has refused some unit of the batch, and stored none. */
function isRefused(error: unknown): boolean {
  return isError(error, "invalid_argument") || isError(error, "key_taken");
}

export class GroupCommit {
  private readonly context: MasterContext;
  private readonly unknown: (unit: AddUnit) => void;
  private readonly units = new Gather<AddUnit>({
    mostBatches: MAX_WRITING,
    take: batchLength,
    run: (batch) => this.write(batch),
    soon: queueMicrotask,
  });
  /** In units that wait or are being written. */
  private queuedJobs = 0;

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
    this.queuedJobs += unit.records.length;
    this.units.add(unit);
  }

  private async write(batch: readonly AddUnit[]): Promise<void> {
    await halveRefused(batch, {
      attempt: (part) => this.store(part),
      splits: isRefused,
      failed: (part, error) => this.fail(part, error),
    });
    this.queuedJobs -= batch.reduce((sum, unit) => sum + unit.records.length, 0);
  }

  private async store(part: readonly AddUnit[]): Promise<void> {
    const { store, epoch, ended } = this.context;
    if (!this.context.trusted() || ended.aborted) {
      const error = new ElasticJobError("unavailable", "this node is no longer master; try again");
      for (const unit of part) unit.reject(error);
      return;
    }
    await store.insertJobs(
      epoch,
      part.flatMap((unit) => unit.records),
      part.flatMap((unit) => unit.keys),
    );
    for (const unit of part) unit.resolve();
  }

  private fail(part: readonly AddUnit[], error: unknown): void {
    if (isError(error, "stale_epoch")) this.context.deposed();
    const known =
      error instanceof ElasticJobError
        ? error
        : new ElasticJobError("internal", "could not store", { cause: error });
    const isUnknown = !isRefused(error) && known.code !== "stale_epoch";
    for (const unit of part) {
      if (isUnknown) this.unknown(unit);
      unit.reject(known);
    }
  }
}
