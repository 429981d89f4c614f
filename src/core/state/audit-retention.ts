/** How long records of the audit are kept, and how many of them. */
import type { AuditRetention } from "../audit/audit-record.ts";
import { ageMsOf, LONGEST_AGE_DAYS, pairsOf } from "./retention-text.ts";

export const DEFAULT_AUDIT_RETENTION = "age=90d,rows=1000000";
export const KEEP_ALL_AUDIT: AuditRetention = { ageMs: null, rows: null };

const FEWEST_ROWS = 1_000;
const MOST_ROWS = 1_000_000_000;

/** `off`, or parts by commas over the defaults: `age=90d,rows=1000000`. `problems`: all that is wrong with the text. */
export function parseAuditRetention(text: string): {
  readonly retention: AuditRetention;
  readonly problems: string[];
} {
  const problems: string[] = [];
  if (text.trim() === "off") return { retention: KEEP_ALL_AUDIT, problems };
  const kept: { ageMs: number | null; rows: number | null } = { ...KEEP_ALL_AUDIT };
  for (const given of [DEFAULT_AUDIT_RETENTION, text]) {
    for (const [name, value] of pairsOf(given, "age=90d", problems)) {
      if (name === "age") kept.ageMs = parseAge(value, problems);
      else if (name === "rows") kept.rows = parseRows(value, problems);
      else problems.push(`${name}: there is no such part; use age, rows`);
    }
  }
  return { retention: kept, problems };
}

function parseAge(value: string, problems: string[]): number | null {
  const ageMs = value === "off" ? null : ageMsOf(value);
  if (ageMs === null && value !== "off") {
    const accepted = `use a whole number with s, m, h or d, from 1h to ${LONGEST_AGE_DAYS}d, such as 90d, or off to keep them for ever`;
    problems.push(`age=${value}: ${accepted}`);
  }
  return ageMs;
}

function parseRows(value: string, problems: string[]): number | null {
  if (value === "off") return null;
  const rows = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (rows >= FEWEST_ROWS && rows <= MOST_ROWS) return rows;
  problems.push(`rows=${value}: use a whole number from ${FEWEST_ROWS} to ${MOST_ROWS}, or off to keep all`);
  return null;
}
