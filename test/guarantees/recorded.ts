/** G3: a claim has one final row, which says what happened, and never changes. */
import { OUTCOME, STORED_STATUS } from "../../src/core/job.ts";
import { claimName, finalRows, type Ledger } from "./facts.ts";

export function successesHaveRun(ledger: Ledger): string[] {
  const ended = new Set(ledger.ends.map(claimName));
  return finalRows(ledger)
    .filter((row) => row.outcome === OUTCOME.SUCCEEDED && !ended.has(claimName(row)))
    .map((row) => `G3: ${claimName(row)} is recorded as SUCCEEDED, and its handler did not end`);
}

export function oneFinalRow(ledger: Ledger): string[] {
  const final = Map.groupBy(finalRows(ledger), claimName);
  const claimOf = new Map(ledger.jobs.map(({ id, claim }) => [id, claim]));
  const twice = [...final]
    .filter(([, rows]) => rows.length > 1)
    .map(([name, rows]) => `G3: ${name} has ${rows.length} final rows`);
  const early = ledger.rows
    .filter((row) => row.claim > (claimOf.get(row.jobId) ?? Number.POSITIVE_INFINITY))
    .map((row) => `G3: ${claimName(row)} has a row, and was never made`);
  const alone = ledger.rows
    .filter((row) => row.late && !final.has(claimName(row)))
    .map((row) => `G3: ${claimName(row)} has a late row only`);
  return [...twice, ...early, ...alone];
}

/** But the claim of a job that runs. */
export function everyClaimHasItsRow(ledger: Ledger): string[] {
  const final = new Set(finalRows(ledger).map(claimName));
  return ledger.jobs.flatMap(({ id, claim, status }) => {
    const ended = status === STORED_STATUS.RUNNING ? claim - 1 : claim;
    return Array.from({ length: ended }, (_, index) => claimName({ jobId: id, claim: index + 1 }))
      .filter((name) => !final.has(name))
      .map((name) => `G3: ${name} has no final row`);
  });
}

export function finalRowsStay(ledger: Ledger): string[] {
  const now = new Map(finalRows(ledger).map((row) => [claimName(row), JSON.stringify(row)]));
  return ledger.seenRows.flatMap((seen) => {
    const [name, before, after] = [claimName(seen), JSON.stringify(seen), now.get(claimName(seen))];
    if (after === undefined) return [`G3: the final row of ${name} is gone`];
    return after === before ? [] : [`G3: the final row of ${name} has changed from ${before} to ${after}`];
  });
}
