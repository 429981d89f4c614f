import type { ElasticJobError } from "../../core/errors.ts";
import type { JobRecord } from "../../core/job.ts";
import type { JobKey } from "../../store/job-store.ts";

/** What is added as one: a job, or a part of a call that has a key. */
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
export const MAX_BATCH_BYTES = 4 << 20;

/**
 * Takes from the front what fits into one statement; at least one unit. Those with keys go by themselves: their
 * statement is sent as text, which costs each row more.
 */
export function takeBatch(queue: AddUnit[]): AddUnit[] {
  let rows = 0;
  let bytes = 0;
  let count = 0;
  const hasKeys = (unit: AddUnit | undefined) => (unit?.keys.length ?? 0) > 0;
  for (const unit of queue) {
    if (hasKeys(unit) !== hasKeys(queue[0])) break;
    rows += unit.records.length;
    bytes += unit.bytes;
    if (count > 0 && (rows > MAX_BATCH_ROWS || bytes > MAX_BATCH_BYTES)) break;
    count++;
  }
  return queue.splice(0, count);
}
