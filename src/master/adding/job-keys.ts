/** Adds single jobs, under their own keys, and units of jobs without keys. Ids and the keys of calls are the caller's. */

import { firstDue } from "../../core/calendar/next-due.ts";
import { invalidArgument, isError } from "../../core/errors.ts";
import { hasEnded, type JobRecord, type JobSpec, NEVER, STORED_STATUS } from "../../core/job.ts";
import { childSpec, type ParentOccurrence } from "../../core/spec/child-spec.ts";
import { jobKeyOf } from "../../core/spec/job-key.ts";
import type { JobKey } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { AddedJob } from "../job-api.ts";
import type { ClassRegistry } from "../memory/class-registry.ts";
import type { IdBlocks } from "./id-blocks.ts";
import type { JobInserter } from "./job-inserter.ts";
import { KeyReader } from "./key-reader.ts";

/** Longer than any repetition of a call takes. */
export const CALL_KEY_LIFE_MS = 3_600_000;
/** A master may die before the parent goes on, and all be out for a while then. */
const OCCURRENCE_KEY_LIFE_MS = 86_400_000;
/** How often an add whose key is taken, or whose job just went, is looked at anew. */
const MAX_TRIES = 5;

/** The key of a call, which goes in with the first of its jobs that is stored. */
export interface CallKey {
  readonly row: JobKey;
  isStored: boolean;
  /** Is called once it is. */
  readonly stored: () => void;
}

/** A job that is to be added. */
export interface NewJob {
  readonly spec: JobSpec;
  readonly id: number;
}

/** Whether its key is free again, though it is there. */
function isFreed(record: JobRecord): boolean {
  return record.spec.keyLife === "unfinished" && hasEnded(record);
}

/** What an add under the key of a job that is there is answered; `id`: the one it would have got. */
function known(record: JobRecord, id: number): AddedJob {
  return { jobId: record.id, created: record.id === id, nextRunAt: record.scheduledAt };
}

function childKey({ id }: JobRecord, key: string): string {
  return `child:${id}:${key}`;
}

export class JobAdder {
  private readonly context: MasterContext;
  private readonly classes: ClassRegistry;
  private readonly inserter: JobInserter;
  private readonly ids: IdBlocks;
  readonly keys: KeyReader;
  /** Keys of adds that are under way: the same key again waits for the first. */
  private readonly keysInFlight = new Map<string, Promise<unknown>>();

  constructor(
    context: MasterContext,
    parts: { classes: ClassRegistry; inserter: JobInserter; ids: IdBlocks },
  ) {
    this.context = context;
    this.classes = parts.classes;
    this.inserter = parts.inserter;
    this.ids = parts.ids;
    this.keys = new KeyReader(context);
  }

  /** All or none, of jobs without keys; throws as `insertJobs` of the store does. */
  async addUnit(jobs: readonly NewJob[], callKey: CallKey | null): Promise<AddedJob[]> {
    const records: JobRecord[] = [];
    for (const job of jobs) {
      // Not awaited for each: most often the class is known.
      const { id: classId } = this.classes.find(job.spec) ?? (await this.classes.findOrAdd(job.spec));
      records.push(this.record(job, 0, classId));
    }
    await this.insert(records, [], callKey);
    return records.map(({ id, at }) => ({ jobId: id, created: true, nextRunAt: at }));
  }

  /** Under its key, if it has one. */
  add(job: NewJob, callKey: CallKey | null): Promise<AddedJob> {
    const { idempotencyKey } = job.spec;
    return idempotencyKey === null
      ? this.store(job, [], 0, callKey)
      : this.addWithKey(job, jobKeyOf(idempotencyKey), callKey);
  }

  /** The answers for those whose keys name a job that is there. All have keys; they are read together. */
  async findKnown(jobs: readonly NewJob[]): Promise<Map<NewJob, AddedJob>> {
    const taken = await Promise.all(
      jobs.map(({ spec }) => this.keys.read(jobKeyOf(spec.idempotencyKey ?? ""))),
    );
    const there = await this.context.store.readJobs(taken.filter((id) => id !== undefined));
    const found = new Map<NewJob, AddedJob>();
    for (const [i, job] of jobs.entries()) {
      const record = there.get(taken[i] ?? 0);
      if (record !== undefined && !isFreed(record)) found.set(job, known(record, job.id));
    }
    return found;
  }

  /** Adds a job of its own for one occurrence of another; null: now. With a key the same one is returned again. */
  async addChild(
    parent: JobRecord,
    occurrence: ParentOccurrence | null,
    key: string | null,
  ): Promise<number> {
    const spec = childSpec(parent.spec, occurrence);
    if (key === null) return (await this.store({ spec, id: await this.ids.take(1) }, [], parent.id)).jobId;
    const fullKey = childKey(parent, key);
    return this.aloneWithKey(fullKey, async () => {
      const taken = await this.keys.read(fullKey);
      if (taken !== undefined) return taken;
      const id = await this.ids.take(1);
      const lifeMs = occurrence === null ? CALL_KEY_LIFE_MS : OCCURRENCE_KEY_LIFE_MS;
      const keys = [{ key: fullKey, jobId: id, expiresAt: this.context.time.now() + lifeMs }];
      return (await this.store({ spec, id }, keys, parent.id)).jobId;
    });
  }

  /** Whether that one is there. */
  async hasChild(parent: JobRecord, key: string): Promise<boolean> {
    return (await this.keys.read(childKey(parent, key))) !== undefined;
  }

  /** One add with a key at a time. */
  async aloneWithKey<T>(key: string, work: () => Promise<T>): Promise<T> {
    for (let other = this.keysInFlight.get(key); other !== undefined; other = this.keysInFlight.get(key)) {
      await other.catch(() => undefined);
    }
    const result = work();
    this.keysInFlight.set(key, result);
    return result.finally(() => this.keysInFlight.delete(key));
  }

  private addWithKey(job: NewJob, key: string, callKey: CallKey | null): Promise<AddedJob> {
    const { store, epoch, time } = this.context;
    const { id, spec } = job;
    return this.aloneWithKey(key, async () => {
      for (let tries = 0; ; tries++) {
        const taken = await this.keys.read(key);
        const record = taken === undefined ? undefined : (await store.readJobs([taken])).get(taken);
        if (record !== undefined && !isFreed(record)) return known(record, id);
        if (record !== undefined) await store.freeKeys(epoch, [{ key, jobId: record.id }]);
        const expiresAt = typeof spec.keyLife === "number" ? time.now() + spec.keyLife : NEVER;
        try {
          return await this.store(job, [{ key, jobId: id, expiresAt }], 0, callKey);
        } catch (error) {
          // Stored by an earlier try of ours, or by the master before us: look again. Or it is the call's key that is taken.
          if (!isError(error, "already_exists") || callKey !== null || tries >= MAX_TRIES) throw error;
        }
      }
    });
  }

  private async store(
    job: NewJob,
    keys: readonly JobKey[],
    parentId: number,
    callKey: CallKey | null = null,
  ): Promise<AddedJob> {
    const record = this.record(job, parentId, (await this.classes.findOrAdd(job.spec)).id);
    await this.insert([record], keys, callKey);
    return { jobId: record.id, created: true, nextRunAt: record.at };
  }

  private async insert(
    records: readonly JobRecord[],
    keys: readonly JobKey[],
    callKey: CallKey | null,
  ): Promise<void> {
    const carries = callKey !== null && !callKey.isStored;
    await this.inserter.insert(records, carries ? [...keys, callKey.row] : keys);
    if (!carries) return;
    callKey.isStored = true;
    callKey.stored();
  }

  private record({ spec, id }: NewJob, parentId: number, classId: number): JobRecord {
    const now = this.context.time.now();
    const due = firstDue({ id, spec }, now);
    if (due === null) {
      throw invalidArgument([{ field: "schedule", message: "has no occurrence any more" }]);
    }
    return {
      id,
      classId,
      status: STORED_STATUS.WAITING,
      at: due.at,
      // A child's occurrence is its parent's, which has fallen due already.
      scheduledAt: parentId !== 0 && spec.schedule.kind === "timed" ? spec.schedule.runAt : due.scheduledAt,
      attempt: 0,
      failures: 0,
      lost: 0,
      endedAt: 0,
      claim: 0,
      revision: 0,
      node: 0,
      parentId,
      createTime: now,
      updateTime: now,
      spec,
    };
  }
}
