/** Jobs with keys of their own: a key names the job that was added under it, for as long as the job says. */

import { isError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import { hasEnded, type JobRecord, NEVER } from "../../core/job.ts";
import { jobKeyOf } from "../../core/spec/job-key.ts";
import type { JobKey } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { AddedJob } from "../job-api.ts";
import type { JobInserter } from "./job-inserter.ts";
import type { KeyReader } from "./key-reader.ts";
import type { NewJob } from "./new-job.ts";

/** How often an add whose key is taken, or whose job just went, is looked at anew. */
const MAX_TRIES = 5;

/** A job that is there under its key. */
export interface KeyedJob {
  readonly added: AddedJob;
  /** Stored now, with the call's key; or it was there. */
  readonly isStored: boolean;
}

/** Whether its key is free again, though it is there. */
function isFreed(record: JobRecord): boolean {
  return record.spec.keyLife === "unfinished" && hasEnded(record);
}

/** What an add under the key of a job that is there is answered; `id`: the one it would have got. */
function known(record: JobRecord, id: number): AddedJob {
  return { jobId: record.id, created: record.id === id, nextRunAt: record.scheduledAt };
}

export class JobKeys {
  private readonly context: MasterContext;
  private readonly parts: { readonly keys: KeyReader; readonly inserter: JobInserter };
  private readonly adding = new OneAtATime<string>();

  constructor(context: MasterContext, parts: JobKeys["parts"]) {
    this.context = context;
    this.parts = parts;
  }

  /** The answers for those whose keys name a job that is there. They are read together. */
  async findKnown(jobs: readonly NewJob[]): Promise<Map<NewJob, AddedJob>> {
    const taken = await Promise.all(
      jobs.map(({ spec }) => this.parts.keys.read(jobKeyOf(spec.idempotencyKey ?? ""))),
    );
    const there = await this.context.store.readJobs(taken.filter((id) => id !== undefined));
    const found = new Map<NewJob, AddedJob>();
    for (const [i, job] of jobs.entries()) {
      const record = there.get(taken[i] ?? 0);
      if (record !== undefined && !isFreed(record)) found.set(job, known(record, job.id));
    }
    return found;
  }

  /** The job that has the key, else this one, stored now. `callKey`: the row of its call's key, which goes in with it. */
  add(job: NewJob, idempotencyKey: string, callKey: JobKey | null): Promise<KeyedJob> {
    const { store, epoch, time } = this.context;
    const { keys, inserter } = this.parts;
    const { id, spec } = job;
    const key = jobKeyOf(idempotencyKey);
    return this.adding.alone(key, async () => {
      for (let tries = 0; ; tries++) {
        const taken = await keys.read(key);
        const record = taken === undefined ? undefined : (await store.readJobs([taken])).get(taken);
        if (record !== undefined && !isFreed(record)) return { added: known(record, id), isStored: false };
        if (record !== undefined) await store.freeKeys(epoch, [{ key, jobId: record.id }]);
        const expiresAt = typeof spec.keyLife === "number" ? time.now() + spec.keyLife : NEVER;
        const own = { key, jobId: id, expiresAt };
        try {
          const [added] = await inserter.insert([job], callKey === null ? [own] : [own, callKey]);
          if (added === undefined) throw new Error("the inserter gave no outcome");
          return { added, isStored: true };
        } catch (error) {
          // Stored by an earlier try of ours, or by the master before us: look again. Or it is the call's key that is taken.
          if (!isError(error, "already_exists") || callKey !== null || tries >= MAX_TRIES) throw error;
        }
      }
    });
  }
}
