/**
 * Occurrences that run beside their job, as jobs of their own: each of a job with overlap `allow`, and
 * those that a caller triggers. The child is added under a key before the parent goes on, so that however
 * often that is begun anew, there is one child for an occurrence.
 */
import { farEnd, type JobRecord, NEVER, STORED_STATUS } from "../core/job.ts";
import { type DueDecision, dueAt } from "../core/misfire.ts";
import { type Due, nextDue } from "../core/next-due.ts";
import type { MasterContext } from "./context.ts";
import { jobNotFound } from "./control.ts";
import type { Endings } from "./endings.ts";
import type { JobAdder } from "./job-adder.ts";
import type { JobMemory } from "./job-memory.ts";

export class Children {
  private readonly context: MasterContext;
  private readonly parts: { readonly adder: JobAdder; readonly endings: Endings; readonly memory: JobMemory };

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
    const childId = await this.parts.adder.addChild(parent, null, key);
    const child = (await store.readJobs([childId])).get(childId);
    if (child === undefined) throw jobNotFound(childId);
    return child;
  }

  /** The due occurrence of a WAITING parent; `next`: the one after it. */
  spawn(parent: JobRecord, next: Due | null): Promise<void> {
    return this.parts.endings.persist(async () => {
      const occurrence = { runAt: parent.scheduledAt, dueAt: dueAt(parent) };
      await this.parts.adder.addChild(parent, occurrence, String(parent.scheduledAt));
      await this.goOn(parent, next);
    });
  }

  /** Skips occurrences of a WAITING job, unless the first of them runs already. */
  skip(record: JobRecord, decision: Extract<DueDecision, { kind: "skip" }>): Promise<void> {
    return this.parts.endings.persist(async () => {
      if (!(await this.goOnIfSpawned(record))) await this.parts.endings.skip(record, decision);
    });
  }

  /**
   * A master may have died, or a caller's change have come, after the child was added and before the
   * parent went on: then that child is the occurrence's run, and it must not be ended in another way.
   */
  async goOnIfSpawned(parent: JobRecord): Promise<boolean> {
    if (parent.spec.overlap !== "allow") return false;
    if (!(await this.parts.adder.hasChild(parent, String(parent.scheduledAt)))) return false;
    await this.goOn(parent, nextDue(parent, parent.scheduledAt));
    return true;
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
