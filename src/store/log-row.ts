/** A row of `joblog`: lines of one claim, as JSON text. */
import { LINE_KINDS, LOG_LEVELS, type LogChunk, type LogLine } from "../core/log/log-line.ts";
import type { SqlValue } from "./dialect.ts";

export const LOG_COLUMNS = ["job_id", "claim", "first", "n", "entries"] as const;

/** Places in LOG_LEVELS and LINE_KINDS, so that a line costs little more than its text. */
type Entry = readonly [at: number, level: number, kind: number, text: string, fields?: string];

export function logValues({ jobId, claim, first, lines }: LogChunk): SqlValue[] {
  return [jobId, claim, first, lines.length, JSON.stringify(lines.map(entryOf))];
}

export function linesOf(entries: string): LogLine[] {
  return (JSON.parse(entries) as readonly Entry[]).map(([at, level, kind, text, fields = null]) => ({
    at,
    level: LOG_LEVELS[level] ?? "info",
    kind: LINE_KINDS[kind] ?? "said",
    text,
    fields,
  }));
}

function entryOf({ at, level, kind, text, fields }: LogLine): Entry {
  const entry = [at, LOG_LEVELS.indexOf(level), LINE_KINDS.indexOf(kind), text] as const;
  return fields === null ? entry : [...entry, fields];
}
