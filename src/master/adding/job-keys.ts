/** Jobs with keys of their own: a key names the job that was added under it, for as long as the job says. */

import { ElasticJobError, isError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import { hasEnded, type JobRecord, NEVER } from "../../core/job.ts";
import { jobKeyOf } from "../../core/spec/job-key.ts";
import { dueAt } from "../../core/state/misfire.ts";
import type { JobKey, TakenKey } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { AddedJob, AddItem, AddOutcome } from "../job-api.ts";
import { decodeDigests, differingFields, digestFields, encodeDigests } from "./field-digests.ts";
import type { JobInserter } from "./job-inserter.ts";
import type { KeyReader } from "./key-reader.ts";
import type { NewJob } from "./new-job.ts";
import { otherJob } from "./other-body.ts";

/** How often an add whose key is taken, or whose job just went, is looked at anew. */
const MAX_TRIES = 5;

/** A job that has a key of its own. */
export interface NewKeyedJob extends NewJob {
  readonly asked: AddItem["asked"];
}

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

/** What an add under the key of a job that is there is answered: that job, unless the add asks for another one. */
function answerOf(add: NewKeyedJob, record: JobRecord, { digest }: TakenKey): AddOutcome {
  const { id, asked } = add;
  const [first] = asked.keyReuse === "any_body" ? [] : (decodeDigests(digest) ?? []);
  const fields = first === undefined ? [] : digestFields([add]).flatMap((it) => differingFields(first, it));
  if (fields.length === 0) return { jobId: record.id, created: record.id === id, nextRunAt: dueAt(record) };
  return otherJob(asked.idempotencyKey ?? "", record.id, fields);
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
  async findKnown<T extends NewKeyedJob>(jobs: readonly T[]): Promise<Map<T, AddOutcome>> {
    const taken = await Promise.all(
      jobs.map(({ spec }) => this.parts.keys.read(jobKeyOf(spec.idempotencyKey ?? ""))),
    );
    const there = await this.context.store.readJobs(taken.flatMap((key) => key?.jobId ?? []));
    const found = new Map<T, AddOutcome>();
    for (const [i, job] of jobs.entries()) {
      const key = taken[i];
      if (key === undefined) continue;
      const record = there.get(key.jobId);
      if (record !== undefined && !isFreed(record)) found.set(job, answerOf(job, record, key));
    }
    return found;
  }

  /** The job that the key names; null: none. */
  async find(idempotencyKey: string): Promise<number | null> {
    const { record } = await this.read(jobKeyOf(idempotencyKey));
    return record === undefined || isFreed(record) ? null : record.id;
  }

  private async read(key: string) {
    const taken = await this.parts.keys.read(key);
    const record = taken && (await this.context.store.readJobs([taken.jobId])).get(taken.jobId);
    return { taken, record };
  }

  /**
   * The job that has the key, else this one, stored now; throws `already_exists` when that one was asked to be another.
   * `callKey`: the row of its call's key, which goes in with it.
   */
  add(job: NewKeyedJob, idempotencyKey: string, callKey: JobKey | null): Promise<KeyedJob> {
    const { store, epoch, time } = this.context;
    const { inserter } = this.parts;
    const { id, spec } = job;
    const key = jobKeyOf(idempotencyKey);
    return this.adding.alone(key, async () => {
      for (let tries = 0; ; tries++) {
        const { taken, record } = await this.read(key);
        if (taken !== undefined && record !== undefined && !isFreed(record)) {
          const added = answerOf(job, record, taken);
          if (added instanceof ElasticJobError) throw added;
          return { added, isStored: false };
        }
        if (record !== undefined) await store.freeKeys(epoch, [{ key, jobId: record.id }]);
        const expiresAt = typeof spec.keyLife === "number" ? time.now() + spec.keyLife : NEVER;
        const own = { key, jobId: id, expiresAt, digest: encodeDigests(digestFields([job])) };
        try {
          const [added] = await inserter.insert([job], callKey === null ? [own] : [own, callKey]);
          if (added === undefined) throw new Error("the inserter gave no outcome");
          return { added, isStored: true };
        } catch (error) {
          // Stored by an earlier try of ours, or by the master before us: look again. Or it is the call's key that is taken.
          if (!isError(error, "key_taken") || callKey !== null || tries >= MAX_TRIES) throw error;
        }
      }
    });
  }
}
