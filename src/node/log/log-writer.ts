/** Writes what was said to the database, chunk after chunk, in as few statements as are due. While the database does not answer it tries again. */
import { type Clock, sleep } from "../../core/clock.ts";
import { isError } from "../../core/errors.ts";
import { Gather } from "../../core/flow/gather.ts";
import { halveRefused } from "../../core/flow/halve-refused.ts";
import type { LogChunk } from "../../core/log/log-line.ts";
import type { Logger } from "../../core/logger.ts";
import type { JobStore } from "../../store/job-store.ts";

/** Of one statement. */
const MOST_CHUNKS = 100;
const MOST_BYTES = 1024 * 1024;
const RETRY_MS = 1_000;

export interface LogWriterParts {
  readonly store: Pick<JobStore, "writeLog">;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Waiting {
  readonly chunk: LogChunk;
  readonly bytes: number;
  readonly written: () => void;
}

export class LogWriter {
  readonly #parts: LogWriterParts;
  readonly #waiting: Gather<Waiting>;
  readonly #stopping = new AbortController();

  constructor(parts: LogWriterParts) {
    this.#parts = parts;
    this.#waiting = new Gather({
      // One after the other: what is written of a claim has no holes before it.
      mostBatches: 1,
      take: howMany,
      run: (batch) => this.#write(batch),
      soon: (flush) => parts.clock.after(0, flush),
    });
  }

  /** Resolves when it is written, or given up. */
  add(chunk: LogChunk, bytes: number): Promise<void> {
    return new Promise((written) => this.#waiting.add({ chunk, bytes, written }));
  }

  /** Gives up what is not written yet. */
  stop(): void {
    this.#stopping.abort();
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    await halveRefused(batch, {
      attempt: (part) => this.#untilAnswered(part.map(({ chunk }) => chunk)),
      splits: () => true,
      failed: ([first], error) => {
        const jobId = first?.chunk.jobId;
        this.#parts.logger.warn({ error, jobId }, "the database refused a part of a job's log");
      },
    });
    for (const { written } of batch) written();
  }

  /** Throws what the database refuses. */
  async #untilAnswered(chunks: readonly LogChunk[]): Promise<void> {
    const { store, clock, logger } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return await store.writeLog(chunks);
      } catch (error) {
        if (!isError(error, "unavailable")) throw error;
        logger.warn({ error }, "could not write what jobs log; trying again");
        await sleep(clock, RETRY_MS, signal);
      }
    }
  }
}

function howMany(waiting: readonly Waiting[]): number {
  let sum = 0;
  const most = waiting.slice(0, MOST_CHUNKS);
  const tooMany = most.findIndex(({ bytes }) => {
    sum += bytes;
    return sum > MOST_BYTES;
  });
  return tooMany === -1 ? most.length : Math.max(1, tooMany);
}
