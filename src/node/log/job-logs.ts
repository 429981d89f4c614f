/**
 * What the jobs of this node say: each line goes to the node's own log, and is kept with its claim. A claim's lines are
 * written once a second while it runs, and when its handler has ended, before its result: who finds the result finds the
 * whole log. A database that does not answer holds up no result for it, and what waits for it is bounded.
 */
import type { Clock } from "../../core/clock.ts";
import { type LogLine, markLine } from "../../core/log/log-line.ts";
import type { Execution } from "../executors.ts";
import { LogWriter, type LogWriterParts } from "./log-writer.ts";

const WRITE_EVERY_MS = 1_000;
/** A result waits no longer for its log. */
const LONGEST_WAIT_MS = 2_000;
/** Lines that are not written yet, of all jobs; those beyond are left out. */
const MOST_UNWRITTEN_BYTES = 16 * 1024 * 1024;
/** What a line takes beside its text. */
const LINE_BYTES = 100;

/** Whose log it is. */
export type Speaker = Pick<Execution, "jobId" | "claim" | "attempt" | "handler">;

/** What all logs of a node share. */
interface Shared {
  readonly parts: LogWriterParts;
  readonly writer: LogWriter;
  /** Of lines that are not written yet. */
  unwrittenBytes: number;
  /** It has lines to write. */
  queue(log: ClaimLog): void;
}

export class JobLogs {
  readonly #shared: Shared;
  readonly #clock: Clock;
  readonly #toWrite = new Set<ClaimLog>();

  constructor(parts: LogWriterParts) {
    this.#clock = parts.clock;
    this.#shared = {
      parts,
      writer: new LogWriter(parts),
      unwrittenBytes: 0,
      queue: (log) => this.#queue(log),
    };
  }

  open(speaker: Speaker): ClaimLog {
    return new ClaimLog(this.#shared, speaker);
  }

  /** What is not written by now is given up. */
  stop(): void {
    this.#shared.writer.stop();
  }

  #queue(log: ClaimLog): void {
    this.#toWrite.add(log);
    if (this.#toWrite.size > 1) return;
    this.#clock.after(WRITE_EVERY_MS, () => {
      const logs = [...this.#toWrite];
      this.#toWrite.clear();
      for (const each of logs) each.write();
    });
  }
}

/** What is said under one claim. */
export class ClaimLog {
  readonly #shared: Shared;
  readonly #speaker: Speaker;
  #lines: LogLine[] = [];
  #bytes = 0;
  /** The number of the next line to be written. */
  #next = 1;
  #missing = 0;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(shared: Shared, speaker: Speaker) {
    this.#shared = shared;
    this.#speaker = speaker;
  }

  take(line: LogLine): void {
    this.#tell(line);
    const bytes = line.text.length + (line.fields?.length ?? 0) + LINE_BYTES;
    const shared = this.#shared;
    if (shared.unwrittenBytes + bytes > MOST_UNWRITTEN_BYTES) {
      this.#missing++;
      return;
    }
    shared.unwrittenBytes += bytes;
    this.#bytes += bytes;
    if (this.#lines.length === 0) shared.queue(this);
    this.#markMissing(line.at);
    this.#lines.push(line);
  }

  write(): void {
    if (this.#lines.length === 0) return;
    const { jobId, claim } = this.#speaker;
    const shared = this.#shared;
    const chunk = { jobId, claim, first: this.#next, lines: this.#lines };
    const bytes = this.#bytes;
    this.#next += this.#lines.length;
    this.#lines = [];
    this.#bytes = 0;
    this.#lastWrite = shared.writer.add(chunk, bytes).then(() => {
      shared.unwrittenBytes -= bytes;
    });
  }

  /** Its handler has ended. Resolves when all of it is written, or that has taken too long. */
  close(): Promise<void> {
    this.#markMissing(this.#shared.parts.clock.now());
    this.write();
    return new Promise((resolve) => {
      const cancel = this.#shared.parts.clock.after(LONGEST_WAIT_MS, resolve);
      void this.#lastWrite.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #markMissing(at: number): void {
    if (this.#missing === 0) return;
    const text = `${this.#missing} lines are missing here: the database did not take others in time`;
    this.#missing = 0;
    this.#lines.push(markLine(at, text));
  }

  #tell({ level, kind, text, fields }: LogLine): void {
    // What was printed stands there already.
    if (kind === "printed") return;
    const { jobId, claim, attempt, handler } = this.#speaker;
    const told = fields === null ? {} : { fields: JSON.parse(fields) as object };
    this.#shared.parts.logger[level](
      { jobId, claim, attempt, handler, text, ...told },
      kind === "said" ? "a job says" : "a job's log",
    );
  }
}
