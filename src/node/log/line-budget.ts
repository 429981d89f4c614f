import { type LogLine, MOST_LINE_BYTES, MOST_LINES, markLine } from "../../core/log/log-line.ts";

/** So many lines a second a thread hands on: a flood is to cost the job that makes it, not its node. */
const MOST_A_SECOND = 5_000;
const WINDOW_MS = 1_000;

const END_TEXT = `the log of this attempt was cut here: ${MOST_LINES} lines or ${MOST_LINE_BYTES / 1024} KiB are kept`;

/** What a thread's lines may come to, all attempts together. */
export class ThreadBudget {
  readonly #now: () => number;
  #since = Number.NEGATIVE_INFINITY;
  #taken = 0;

  /** `now`: monotonic. */
  constructor(now: () => number) {
    this.#now = now;
  }

  take(): boolean {
    const now = this.#now();
    if (now - this.#since >= WINDOW_MS) {
      this.#since = now;
      this.#taken = 0;
    }
    return ++this.#taken <= MOST_A_SECOND;
  }
}

/** What the lines of one attempt may come to. */
export class AttemptBudget {
  #lines = 0;
  #bytes = 0;
  #missing = 0;

  /** Nothing more of the attempt is kept. */
  get isSpent(): boolean {
    return this.#lines > MOST_LINES || this.#bytes > MOST_LINE_BYTES;
  }

  /** Whether the line is kept; if not, its end mark takes the place of all that is to come. */
  take(bytes: number): boolean {
    this.#lines++;
    this.#bytes += bytes;
    return !this.isSpent;
  }

  /** Leaves a line out, as the thread's budget has no room for it. */
  skip(): void {
    this.#missing++;
  }

  /** Stands for the lines that were left out since the last one; null: none were. */
  missingMark(at: number): LogLine | null {
    const missing = this.#missing;
    this.#missing = 0;
    return missing === 0
      ? null
      : markLine(at, `${missing} lines are missing here: they came faster than they can be kept`);
  }
}

export function endMark(at: number): LogLine {
  return markLine(at, END_TEXT);
}
