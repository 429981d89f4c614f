import { openConnection } from "../cluster/evidence.ts";

/** Locks rows the other way round than the nodes do, for so long. Returns how many deadlocks and lock waits it met. */
export async function deadlockStorm(databaseUrl: string, ms: number): Promise<number> {
  const storm = await openConnection(databaseUrl);
  await storm.query("SET SESSION innodb_lock_wait_timeout = 1");
  let met = 0;
  try {
    for (const end = performance.now() + ms; performance.now() < end; ) {
      try {
        // By descending key, results before jobs.
        await storm.query("BEGIN");
        await storm.query("UPDATE jobresult SET placement = placement ORDER BY job_id DESC LIMIT 30");
        await storm.query(
          "UPDATE jobinfo SET priority = priority WHERE status IN (1, 3) ORDER BY id DESC LIMIT 50",
        );
        await storm.query("SELECT epoch FROM jobcluster WHERE id = 1 FOR UPDATE");
        await storm.query("UPDATE jobinfo SET priority = priority ORDER BY id LIMIT 50");
      } catch {
        met++;
      }
      await storm.query("ROLLBACK");
    }
  } finally {
    storm.destroy();
  }
  return met;
}
