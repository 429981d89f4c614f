/**
 * Log lines that can come in bursts. The first of a kind is written at once; further ones of that kind are counted for
 * a while, and end in one line that says how many there were, of which jobs. So a fault that hits every job leaves a few
 * lines, not a full disk.
 *
 * It is bounded: beyond so many kinds at a time the others are counted together.
 */
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";

const INTERVAL_MS = 10_000;
const MOST_KINDS = 100;
const OTHER_KINDS = "other kinds";

export interface CountedLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  /** The job that it is about. */
  readonly jobId: number;
  /** What makes it the same as another one, beside its level and its message. */
  readonly kind: Readonly<Record<string, string>>;
  /** What else there is to say of it. */
  readonly fields: object;
}

interface Burst {
  readonly first: CountedLine;
  /** Lines after the first that was written. */
  count: number;
  firstJobId: number;
  lastJobId: number;
  readonly cancel: () => void;
}

export class CountedLines {
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly bursts = new Map<string, Burst>();
  private isClosed = false;

  constructor(parts: { readonly logger: Logger; readonly clock: Clock }) {
    this.logger = parts.logger;
    this.clock = parts.clock;
  }

  write(line: CountedLine): void {
    const key = JSON.stringify([line.level, line.message, line.kind]);
    const burst = this.bursts.get(key);
    if (burst !== undefined) return addTo(burst, line);
    if (this.isClosed) return this.print(line);
    if (this.bursts.size < MOST_KINDS) {
      this.begin(key, line);
      return this.print(line);
    }
    const rest = this.bursts.get(OTHER_KINDS) ?? this.begin(OTHER_KINDS, { ...line, kind: {} });
    addTo(rest, line);
  }

  /** Says at once what it has counted; from now on it writes each line as it comes. */
  close(): void {
    this.isClosed = true;
    for (const [key, { cancel }] of this.bursts) {
      cancel();
      this.end(key);
    }
  }

  private print({ level, jobId, kind, fields, message }: CountedLine): void {
    this.logger[level]({ jobId, ...fields, ...kind }, message);
  }

  private begin(key: string, first: CountedLine): Burst {
    const cancel = this.clock.after(INTERVAL_MS, () => this.end(key));
    const burst = { first, count: 0, firstJobId: first.jobId, lastJobId: first.jobId, cancel };
    this.bursts.set(key, burst);
    return burst;
  }

  private end(key: string): void {
    const burst = this.bursts.get(key);
    this.bursts.delete(key);
    if (burst === undefined || burst.count === 0) return;
    const { first, count, firstJobId, lastJobId } = burst;
    const same = key === OTHER_KINDS ? "others, of too many kinds to tell apart" : "more of the same";
    const seconds = INTERVAL_MS / 1000;
    this.logger[first.level](
      { count, firstJobId, lastJobId, seconds, ...first.kind },
      `${first.message}: ${same}`,
    );
  }
}

function addTo(burst: Burst, { jobId }: CountedLine): void {
  if (burst.count === 0) burst.firstJobId = jobId;
  burst.lastJobId = jobId;
  burst.count++;
}
