/**
 * Occurrences that run beside their job, as jobs of their own: each of a job with overlap `allow`, and
 * those that a caller triggers. The child is added under a key before the parent goes on, so that however
 * often that is begun anew, there is one child for an occurrence.
 */

import { type Due, nextDue } from "../../core/calendar/next-due.ts";
import { ElasticJobError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import { farEnd, type JobRecord, NEVER, type ResultRecord, STORED_STATUS } from "../../core/job.ts";
import { childSpec, type ParentOccurrence } from "../../core/spec/child-spec.ts";
import { type DueDecision, dueAt, isToBeMadeUpFor } from "../../core/state/misfire.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import { jobNotFound } from "../job-api.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import { CALL_KEY_LIFE_MS } from "./call-keys.ts";
import type { IdBlocks } from "./id-blocks.ts";
import type { JobInserter } from "./job-inserter.ts";
import type { KeyReader } from "./key-reader.ts";

/** A master may die before the parent goes on, and all be out for a while then. */
const OCCURRENCE_KEY_LIFE_MS = 86_400_000;
/** Among so many there is one of a node: claims for nobody are few in a row, each is a run of skips. */
const NEWEST_RESULTS = 10;

type Skip = Extract<DueDecision, { kind: "skip" }>;

function childKey({ id }: JobRecord, key: string): string {
  return `child:${id}:${key}`;
}

export class Children {
  private readonly context: MasterContext;
  private readonly parts: {
    readonly ids: IdBlocks;
    readonly keys: KeyReader;
    readonly inserter: JobInserter;
    readonly endings: Endings;
    readonly memory: JobMemory;
  };
  private readonly adding = new OneAtATime<string>();

  constructor(context: MasterContext, parts: Children["parts"]) {
    this.context = context;
    this.parts = parts;
  }

  /** Runs a job now, beside its schedule. */
  async trigger(jobId: number, callKey: string | null): Promise<JobRecord> {
    const { store } = this.context;
    const parent = (await store.readJobs([jobId])).get(jobId);
    if (parent === undefined) throw jobNotFound(jobId);
    const key = callKey === null ? null : `call:${callKey}`;
    const childId = await this.add(parent, null, key);
    const child = (await store.readJobs([childId])).get(childId);
    if (child === undefined)
      throw new ElasticJobError("not_found", `the job ${childId}, which this call has added, was deleted`);
    return child;
  }

  /** The due occurrence of a WAITING parent; `next`: the one after it. */
  spawn(parent: JobRecord, next: Due | null): Promise<void> {
    return this.parts.endings.persist(async () => {
      const occurrence = { runAt: parent.scheduledAt, dueAt: dueAt(parent) };
      await this.add(parent, occurrence, String(parent.scheduledAt));
      await this.goOn(parent, next);
    });
  }

  /** Skips occurrences of a WAITING job, unless the first of them runs already, or is to run all the same. */
  skip(record: JobRecord, decision: Skip): Promise<void> {
    return this.parts.endings.persist(async () => {
      if (await this.goOnIfSpawned(record)) return;
      if (isToBeMadeUpFor(record, decision, await this.lastRun(record, decision))) {
        // It comes back as one that nothing ran beside, and is run. Whoever else is master then looks for himself.
        this.parts.memory.place({ ...record, endedAt: 0 }, false);
      } else await this.parts.endings.skip(record, decision);
    });
  }

  /** Read only where it is asked for: a job that is slow or was missed, with misfire `all`. */
  private async lastRun({ id, spec }: JobRecord, { reason }: Skip): Promise<ResultRecord | null> {
    if (reason !== "overlap" || spec.misfire !== "all") return null;
    const { items } = await this.context.store.listResults(
      { jobId: id },
      { before: null, limit: NEWEST_RESULTS },
    );
    return items.find(({ late, node }) => !late && node !== 0) ?? null;
  }

  /**
   * A master may have died, or a caller's change have come, after the child was added and before the
   * parent went on: then that child is the occurrence's run, and it must not be ended in another way.
   */
  async goOnIfSpawned(parent: JobRecord): Promise<boolean> {
    if (parent.spec.overlap !== "allow") return false;
    const child = await this.parts.keys.read(childKey(parent, String(parent.scheduledAt)));
    if (child === undefined) return false;
    await this.goOn(parent, nextDue(parent, parent.scheduledAt));
    return true;
  }

  /** Adds a job of its own for one occurrence; null: now. With a key the same one is returned again. */
  private async add(
    parent: JobRecord,
    occurrence: ParentOccurrence | null,
    key: string | null,
  ): Promise<number> {
    const { ids, keys, inserter } = this.parts;
    const spec = childSpec(parent.spec, occurrence);
    if (key === null) {
      const id = await ids.take(1);
      await inserter.insert([{ spec, id }], [], parent.id);
      return id;
    }
    const fullKey = childKey(parent, key);
    return this.adding.alone(fullKey, async () => {
      const taken = await keys.read(fullKey);
      if (taken !== undefined) return taken.jobId;
      const id = await ids.take(1);
      const lifeMs = occurrence === null ? CALL_KEY_LIFE_MS : OCCURRENCE_KEY_LIFE_MS;
      const expiresAt = this.context.time.now() + lifeMs;
      await inserter.insert([{ spec, id }], [{ key: fullKey, jobId: id, expiresAt }], parent.id);
      return id;
    });
  }

  private async goOn(parent: JobRecord, next: Due | null): Promise<void> {
    const { store, epoch, time } = this.context;
    const now = time.now();
    const isPaused = parent.status === STORED_STATUS.PAUSED;
    const row: JobRecord = {
      ...parent,
      ...(next === null
        ? { status: STORED_STATUS.SUCCEEDED, at: farEnd(now) }
        : { at: isPaused ? NEVER : next.at, scheduledAt: next.scheduledAt }),
      updateTime: now,
    };
    const guard = { claim: parent.claim, revision: parent.revision, status: parent.status };
    if (await store.changeJob(epoch, { jobId: parent.id, guard, row })) return this.parts.memory.place(row);
    const present = (await store.readJobs([parent.id])).get(parent.id);
    if (present === undefined) this.parts.memory.remove(parent.id);
    else this.parts.memory.place(present);
  }
}
