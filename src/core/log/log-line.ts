/** What an attempt says while it runs: lines, as few and as short as a log of many jobs can bear. */

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lines of an attempt that are kept; a mark takes the place of what comes after. */
export const MOST_LINES = 1_000;
/** UTF-8 bytes of their texts and fields together. */
export const MOST_LINE_BYTES = 256 * 1024;
/** Of one line; what is longer is cut, and says so. */
export const MOST_TEXT_CHARACTERS = 8_192;
/** Of its fields, as JSON text. */
export const MOST_FIELDS_CHARACTERS = 8_192;

/** Who wrote the line: the handler by `ctx.log`, what it printed, or this program, where lines are missing. */
export const LINE_KINDS = ["said", "printed", "mark"] as const;
export type LineKind = (typeof LINE_KINDS)[number];

export interface LogLine {
  /** Epoch milliseconds, by the clock of its node. */
  readonly at: number;
  readonly level: LogLevel;
  readonly kind: LineKind;
  readonly text: string;
  /** An object as JSON text; null: none. */
  readonly fields: string | null;
}

export interface NumberedLine extends LogLine {
  /** Its number within its claim, from 1. */
  readonly sequence: number;
}

/** Lines of a claim that follow each other. */
export interface LogChunk {
  readonly jobId: number;
  readonly claim: number;
  /** The number of its first line; the first of a claim is 1. */
  readonly first: number;
  readonly lines: readonly LogLine[];
}

export function markLine(at: number, text: string): LogLine {
  return { at, level: "warn", kind: "mark", text, fields: null };
}
