/**
 * Where ids go on after a restore. A dump that is taken table by table under load can hold jobs, results and keys of ids
 * that its `jobidblock` has not reserved yet: they would be given out a second time.
 */
import type { Read } from "./dialect.ts";

/** The key of a call names the first of as many ids as a call may have jobs; those that were never stored are the call's, too. */
const LARGEST_BLOCK = 10_000;

/** By primary key, so that it costs nothing however many there are. */
export const HIGHEST = `(SELECT MAX(id) FROM jobinfo) AS highest_job, (SELECT MAX(job_id) FROM jobresult) AS highest_result`;

export interface Highest {
  readonly highest_job: number | null;
  readonly highest_result: number | null;
}

/** Above the ids of all jobs, and of results whose jobs are gone. */
export function aboveRows(nextId: number, { highest_job, highest_result }: Highest): number {
  return Math.max(nextId, (highest_job ?? 0) + 1, (highest_result ?? 0) + 1);
}

/** Also above the ids of keys; reads all of them, as no index has their ids. */
export async function aboveKeys(read: Read, nextId: number, rows: Highest): Promise<number> {
  const above = aboveRows(nextId, rows);
  const [key] = await read<{ highest: number | null }>("SELECT MAX(job_id) AS highest FROM jobkey", []);
  const highest = key?.highest ?? 0;
  // A block is reserved as a whole: where its first id was, all of it was.
  return highest < nextId ? above : Math.max(above, highest + LARGEST_BLOCK);
}
