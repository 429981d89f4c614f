import type { ElasticJobError } from "../../core/errors.ts";
import type { JobRecord } from "../../core/job.ts";
import type { JobKey } from "../../store/job-store.ts";

/** Jobs that are stored together, all or none, with keys of theirs. */
export interface AddUnit {
  readonly records: readonly JobRecord[];
  readonly keys: readonly JobKey[];
  /** Size of names, payloads and keys, roughly. */
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: ElasticJobError) => void;
}

/** Larger statements, some of them at once, cost the database more for each row. */
const MAX_BATCH_ROWS = 500;
const MAX_BATCH_BYTES = 4 << 20;

/**
 * How many from the front go into one statement; at least one unit. Those with keys go by themselves: they take a
 * transaction, which costs each row more.
 */
export function batchLength(waiting: readonly AddUnit[]): number {
  let rows = 0;
  let bytes = 0;
  let count = 0;
  const hasKeys = (unit: AddUnit | undefined) => (unit?.keys.length ?? 0) > 0;
  for (const unit of waiting) {
    if (hasKeys(unit) !== hasKeys(waiting[0])) break;
    rows += unit.records.length;
    bytes += unit.bytes;
    if (count > 0 && (rows > MAX_BATCH_ROWS || bytes > MAX_BATCH_BYTES)) break;
    count++;
  }
  return count;
}
