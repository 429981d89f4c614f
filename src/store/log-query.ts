/** Reads of what attempts said, the same on both databases. A claim's log is bounded, and read from where its reader stopped. */
import type { NumberedLine } from "../core/log/log-line.ts";
import type { Read } from "./dialect.ts";
import type { ClaimRef } from "./job-store.ts";
import { linesOf } from "./log-row.ts";

export async function readLog(
  read: Read,
  { jobId, claim }: ClaimRef,
  after: number,
): Promise<NumberedLine[]> {
  const rows = await read<{ readonly first: number; readonly entries: string }>(
    "SELECT first, entries FROM joblog WHERE job_id = ? AND claim = ? AND first + n > ? ORDER BY first",
    [jobId, claim, after + 1],
  );
  const lines = rows.flatMap(({ first, entries }) =>
    linesOf(entries).map((line, index) => ({ ...line, sequence: first + index })),
  );
  return lines.filter(({ sequence }) => sequence > after);
}

export async function newestLogged(read: Read, jobId: number): Promise<number | null> {
  const [row] = await read<{ readonly claim: number }>(
    "SELECT claim FROM joblog WHERE job_id = ? ORDER BY claim DESC LIMIT 1",
    [jobId],
  );
  return row?.claim ?? null;
}
