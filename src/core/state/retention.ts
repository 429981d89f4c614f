/**
 * How long what has ended is kept: jobs by their status, results by their outcome and by how many newer
 * ones their job has, of that outcome and of all. Nothing goes before an hour has passed: until then a result's row still has to
 * arbitrate between those that may come late.
 */
import { OUTCOME, type Outcome, STORED_STATUS, type StoredStatus } from "../job.ts";
import { ageMsOf, LONGEST_AGE_DAYS, pairsOf, SHORTEST_AGE_MS } from "./retention-text.ts";

export { SHORTEST_AGE_MS };

export interface Retention {
  /** Milliseconds that jobs and results which ended so are kept; null: for ever. */
  readonly ageMs: Readonly<Record<Kind, number | null>>;
  /** How many results of one job that ended so are kept, the newest; null: all. */
  readonly resultsEach: Readonly<Record<Kind, number | null>>;
  /** How many results of one job are kept, the newest, however they ended; null: all. */
  readonly resultsPerJob: number | null;
}

/** `failed` also stands for TIMED_OUT and LOST. */
const KINDS = ["succeeded", "failed", "cancelled", "skipped"] as const;
export type Kind = (typeof KINDS)[number];

const MOST_RESULTS = 1_000_000_000;
/** A scan remembers so many for a job. */
const MOST_RESULTS_EACH = 100_000;

export const DEFAULT_RETENTION = "succeeded=7d,failed=30d,cancelled=7d,skipped=7d,results=1000";

const EXAMPLE = "failed=30d";

export const KEEP_ALL: Retention = {
  ageMs: { succeeded: null, failed: null, cancelled: null, skipped: null },
  resultsEach: { succeeded: null, failed: null, cancelled: null, skipped: null },
  resultsPerJob: null,
};

export const KIND_OF_OUTCOME = {
  [OUTCOME.SUCCEEDED]: "succeeded",
  [OUTCOME.FAILED]: "failed",
  [OUTCOME.TIMED_OUT]: "failed",
  [OUTCOME.LOST]: "failed",
  [OUTCOME.CANCELLED]: "cancelled",
  [OUTCOME.SKIPPED]: "skipped",
} as const satisfies Record<Outcome, Kind>;

const ENDED_STATUSES = [
  [STORED_STATUS.SUCCEEDED, "succeeded"],
  [STORED_STATUS.FAILED, "failed"],
  [STORED_STATUS.CANCELLED, "cancelled"],
] as const satisfies readonly (readonly [StoredStatus, Kind])[];

/** Statuses that are kept equally long. */
export interface JobAge {
  readonly ageMs: number;
  readonly statuses: readonly StoredStatus[];
}

/** Those that are not kept for ever. Jobs that ended long ago come first in the hot index, so one age is one range of it. */
export function jobAges({ ageMs }: Retention): JobAge[] {
  const byAge = Map.groupBy(ENDED_STATUSES, ([, kind]) => ageMs[kind]);
  const ages: JobAge[] = [];
  for (const [age, pairs] of byAge) {
    if (age !== null) ages.push({ ageMs: age, statuses: pairs.map(([status]) => status) });
  }
  return ages;
}

/** For as long as anything that has ended is kept; null: for ever. */
export function longestAgeMs({ ageMs }: Retention): number | null {
  const ages = KINDS.map((kind) => ageMs[kind]);
  return ages.includes(null) ? null : Math.max(...ages.map((age) => age ?? 0));
}

/** A result row, as far as its retention goes. */
export interface ResultAge {
  readonly jobId: number;
  readonly claim: number;
  readonly outcome: Outcome;
  readonly endTime: number;
  /** Of its job, the newest claim that does not run (any more); null: the job is gone. */
  readonly newestEnded: number | null;
}

/**
 * Whether the row may go. Never that of an existing job's newest claim that has ended, which shows how the job
 * stands, also while the next one runs. Claims are counted without gaps, so their numbers say how many newer
 * results a job has.
 */
export function isExpired(row: ResultAge, now: number, { ageMs, resultsPerJob }: Retention): boolean {
  if (row.newestEnded !== null && row.claim >= row.newestEnded) return false;
  const limitMs = ageMs[KIND_OF_OUTCOME[row.outcome]];
  const age = now - row.endTime;
  if (limitMs !== null && age > limitMs) return true;
  if (row.newestEnded === null || resultsPerJob === null) return false;
  return row.newestEnded - row.claim >= resultsPerJob && age > SHORTEST_AGE_MS;
}

/** Whether any result can ever expire. */
export function expiresResults({ ageMs, resultsEach, resultsPerJob }: Retention): boolean {
  return resultsPerJob !== null || KINDS.some((kind) => ageMs[kind] !== null || resultsEach[kind] !== null);
}

/**
 * `off`, or parts by commas over the defaults: `failed=30d`, `failed=30d/500` (an age and a count), `results=1000`.
 * `problems`: all that is wrong with the text.
 */
export function parseRetention(text: string): { readonly retention: Retention; readonly problems: string[] } {
  const problems: string[] = [];
  if (text.trim() === "off") return { retention: KEEP_ALL, problems };
  const ageMs: Record<Kind, number | null> = { ...KEEP_ALL.ageMs };
  const resultsEach: Record<Kind, number | null> = { ...KEEP_ALL.resultsEach };
  let resultsPerJob: number | null = null;
  const set = (name: string, value: string): void => {
    if (name === "results") resultsPerJob = parseCount(name, value, MOST_RESULTS, problems);
    else if (isKind(name)) {
      const [age = "", count = "off", ...rest] = value.split("/").map((part) => part.trim());
      ageMs[name] = parseAge(name, rest.length > 0 ? value : age, problems);
      resultsEach[name] = parseCount(name, count, MOST_RESULTS_EACH, problems);
    } else problems.push(`${name}: there is no such part; use ${[...KINDS, "results"].join(", ")}`);
  };
  for (const [name, value] of pairsOf(DEFAULT_RETENTION, EXAMPLE, problems)) set(name, value);
  for (const [name, value] of pairsOf(text, EXAMPLE, problems)) set(name, value);
  return { retention: { ageMs, resultsEach, resultsPerJob }, problems };
}

function isKind(name: string): name is Kind {
  return KINDS.some((kind) => kind === name);
}

function parseAge(name: string, value: string, problems: string[]): number | null {
  if (value === "off") return null;
  const ms = ageMsOf(value);
  if (ms !== null) return ms;
  problems.push(
    `${name}=${value}: use a whole number with s, m, h or d, from 1h to ${LONGEST_AGE_DAYS}d, such as 7d or, with a number of results, 7d/100; or off to keep them for ever`,
  );
  return null;
}

function parseCount(name: string, value: string, most: number, problems: string[]): number | null {
  if (value === "off") return null;
  if (/^\d{1,10}$/.test(value) && Number(value) >= 1 && Number(value) <= most) return Number(value);
  const part = name === "results" ? `results=${value}` : `${name}=…/${value}`;
  problems.push(`${part}: use a whole number of results from 1 to ${most}, or off to keep all`);
  return null;
}
