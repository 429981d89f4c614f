/** Judges a run by what it left in the database and in the log of effects; see `test/cluster/checker.ts`. */
import { findViolations } from "../cluster/checker.ts";
import { readEffects } from "../cluster/effects-log.ts";
import { type Acknowledged, countUnfinished, openEvidence, readTables } from "../cluster/evidence.ts";
import { until } from "./stack.ts";

/** Waits until all jobs have ended. Throws what is wrong; returns what there was to check. */
export async function checkRun(options: {
  readonly databaseUrl: string;
  readonly effectsLog: string;
  readonly acknowledged: readonly Acknowledged[];
  readonly limitMs: number;
}): Promise<string> {
  const { databaseUrl, effectsLog, acknowledged, limitMs } = options;
  const connection = await openEvidence(databaseUrl);
  try {
    await until("end of all jobs", limitMs, async () => (await countUnfinished(connection)) === 0);
    const tables = await readTables(connection);
    // Jobs of other steps have handlers that log nothing, and are judged there.
    const jobs = tables.jobs.filter(({ handler }) => handler === "effect");
    const ids = new Set(jobs.map(({ id }) => id));
    const results = tables.results.filter(({ jobId }) => ids.has(jobId));
    const effects = readEffects(effectsLog);
    const evidence = { jobs, results, effects, acknowledged, now: tables.now };
    const violations = findViolations({ ...evidence, deleted: new Set(), seenRows: [] });
    if (violations.length > 0) throw new Error(violations.join("\n"));
    const again = results.filter(({ retryAt }) => retryAt !== null).length;
    return `${acknowledged.length} adds acknowledged, ${jobs.length} jobs, ${results.length} results, of which ${again} LOST and run again`;
  } finally {
    await connection.end();
  }
}
