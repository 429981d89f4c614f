/** G1 and G2: no acknowledged job is missing, none is there twice; a handler runs once for a claim, and only for one. */
import { claimName, finalRows, type Ledger } from "./facts.ts";

export function acknowledgedAreThere({ jobs, acknowledged, deleted }: Ledger): string[] {
  const there = new Set(jobs.map(({ id }) => id));
  return acknowledged
    .filter(({ jobId }) => !there.has(jobId) && !deleted.has(jobId))
    .map(({ jobId, add }) => `G1: job ${jobId} (${add}) was acknowledged, and is missing`);
}

export function addedOnce({ stored, acknowledged }: Ledger): string[] {
  const problems: string[] = [];
  for (const [how, facts] of [
    ["is stored", stored],
    ["was acknowledged", acknowledged],
  ] as const) {
    for (const [add, ofAdd] of Map.groupBy(facts, (fact) => fact.add)) {
      const ids = [...new Set(ofAdd.map(({ jobId }) => jobId))];
      if (ids.length > 1) problems.push(`G1: ${add} was added once, and ${how} as jobs ${ids.join(" and ")}`);
    }
  }
  return problems;
}

export function acknowledgedAsStored({ stored, acknowledged }: Ledger): string[] {
  const addOf = new Map(stored.map(({ jobId, add }) => [jobId, add]));
  return acknowledged
    .filter(({ jobId, add }) => (addOf.get(jobId) ?? add) !== add)
    .map(
      ({ jobId, add }) => `G1: ${add} was acknowledged as job ${jobId}, which is that of ${addOf.get(jobId)}`,
    );
}

export function startedOnce({ starts }: Ledger): string[] {
  return [...Map.groupBy(starts, claimName)]
    .filter(([, ofClaim]) => ofClaim.length > 1)
    .map(([name, ofClaim]) => {
      const places = ofClaim.map(({ where }) => where).join("; ");
      return `G2: ${name} was started ${ofClaim.length} times (${places})`;
    });
}

export function startedOnlyWhenClaimed(ledger: Ledger): string[] {
  const claimOf = new Map(ledger.jobs.map(({ id, claim }) => [id, claim]));
  const rowOf = new Map(finalRows(ledger).map((row) => [claimName(row), row]));
  return ledger.starts.flatMap((start) => {
    const name = claimName(start);
    const newest = claimOf.get(start.jobId);
    if (newest === undefined && !ledger.deleted.has(start.jobId))
      return [`G2: ${name} was started, and there is no such job`];
    if (newest !== undefined && start.claim > newest)
      return [`G2: ${name} was started, and never made (newest: ${newest})`];
    const row = rowOf.get(name);
    if (row?.node === 0) return [`G2: ${name} was started, and given to nobody`];
    if (row !== undefined && row.scheduledAt !== start.scheduledAt)
      return [`G2: ${name} was started for ${start.scheduledAt}, and recorded for ${row.scheduledAt}`];
    return [];
  });
}
