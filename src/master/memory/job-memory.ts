import { type JobRecord, STORED_STATUS } from "../../core/job.ts";
import type { Queues } from "../../core/queues/queues.ts";
import type { ChangedJobs } from "./changed-jobs.ts";
import { MAX_PAYLOAD_IN_MEMORY, type Pages } from "./pages.ts";
import type { Turn } from "./turn.ts";

export interface JobMemoryParts {
  readonly queues: Queues;
  readonly pages: Pages;
  readonly changedJobs: ChangedJobs;
  readonly turn: Pick<Turn, "ask">;
}

/** Brings memory in line with what the database now says of a job. */
export class JobMemory {
  readonly queues: Queues;
  private readonly parts: JobMemoryParts;
  /** Jobs whose insert is under way, and that nothing was heard of since it began. */
  private readonly expected = new Set<number>();

  constructor(parts: JobMemoryParts) {
    this.queues = parts.queues;
    this.parts = parts;
  }

  /** After a write: into waiting if it waits and belongs into memory, else out of memory. */
  place(record: JobRecord, payloadLoaded = true): void {
    this.parts.pages.touch(record.id);
    this.expected.delete(record.id);
    if (record.status === STORED_STATUS.WAITING && this.parts.pages.admits(record)) {
      const isLight = isLightEnough(record);
      this.queues.wait(isLight ? record : withoutPayload(record), payloadLoaded && isLight);
      this.parts.turn.ask();
    } else {
      this.queues.drop(record.id);
    }
    this.parts.changedJobs.changed(record.id);
  }

  /** Its insert begins. */
  expect(jobId: number): void {
    this.expected.add(jobId);
  }

  /** Its insert has failed, or may have: others say what became of it. */
  expectNoMore(jobId: number): void {
    this.expected.delete(jobId);
  }

  /** Its insert is committed; unless a page brought it before the answer came, and it may have gone on since. */
  placeNew(record: JobRecord): void {
    if (this.expected.delete(record.id) && this.queues.get(record.id) === undefined) this.place(record);
  }

  /** Its claim is committed. */
  run(record: JobRecord, payloadLoaded = true): void {
    this.parts.pages.touch(record.id);
    this.expected.delete(record.id);
    const isLight = isLightEnough(record);
    this.queues.run(isLight ? record : withoutPayload(record), payloadLoaded && isLight);
    this.parts.changedJobs.changed(record.id);
  }

  /** Nothing is left to do for it: it has ended, or is not there (deleted, or, as far as an early read can tell, not inserted yet). */
  remove(jobId: number): void {
    this.parts.pages.touch(jobId);
    this.queues.drop(jobId);
    this.parts.changedJobs.changed(jobId);
  }
}

function isLightEnough({ spec }: JobRecord): boolean {
  return spec.payload === null || spec.payload.length <= MAX_PAYLOAD_IN_MEMORY;
}

function withoutPayload(record: JobRecord): JobRecord {
  return { ...record, spec: { ...record.spec, payload: null } };
}
