/**
 * The master's three queues, as one set of jobs: each job in memory is in exactly one of them, or
 * `busy` while a write about it is in flight (nothing else may touch it then).
 */

import type { JobRecord } from "../job.ts";
import { Heap, type HeapItem } from "./heap.ts";

export type Place = "waiting" | "prepared" | "busy" | "running";

/** A job in memory. Only `Queues` changes `place`. */
export interface QueuedJob extends HeapItem {
  record: JobRecord;
  /** False: too big to keep; it is read when the job is claimed. */
  payloadLoaded: boolean;
  place: Place;
  /** Where it is while it is prepared. */
  group: PreparedGroup | null;
  /** Among prepared jobs: lower goes first. */
  turn: number;
}

/** Jobs that ask the same of a node: if one can't be placed now, none can. */
export interface PreparedGroup {
  readonly key: string;
  readonly classId: number;
  readonly slots: number;
  readonly memoryMb: number;
  readonly jobs: Heap<QueuedJob>;
}

/**
 * One step of priority is worth this much waiting, so that jobs of low priority are overtaken for
 * a while, and never starve.
 */
export const PRIORITY_STEP_MS = 10_000;

/** Lower goes first. It does not change with time, so that a heap can hold it. */
function turnOf(record: JobRecord): number {
  return record.at - record.spec.priority * PRIORITY_STEP_MS;
}

function goesBefore(a: QueuedJob, b: QueuedJob): boolean {
  return a.turn < b.turn || (a.turn === b.turn && a.record.id < b.record.id);
}

export class Queues {
  private readonly jobs = new Map<number, QueuedJob>();
  private readonly waiting = new Heap<QueuedJob>();
  private readonly groups = new Map<string, PreparedGroup>();
  private readonly countByClass = new Map<number, number>();
  private preparedCount = 0;
  private runningCount = 0;

  get(id: number): QueuedJob | undefined {
    return this.jobs.get(id);
  }

  get size(): number {
    return this.jobs.size;
  }

  counts(): { waiting: number; prepared: number; running: number } {
    return { waiting: this.waiting.size, prepared: this.preparedCount, running: this.runningCount };
  }

  /** How many jobs of a class are in memory. */
  classSize(classId: number): number {
    return this.countByClass.get(classId) ?? 0;
  }

  /** Takes a job that is not in memory, or is busy, into waiting. */
  wait(record: JobRecord, payloadLoaded: boolean): void {
    const job = this.own(record, payloadLoaded);
    job.place = "waiting";
    this.waiting.push(job, record.at, record.id);
  }

  /** When the first waiting job is due; null: none waits. */
  nextDue(): number | null {
    return this.waiting.first()?.record.at ?? null;
  }

  /** changeJob: moves what is due from waiting to prepared, at most `limit`. Returns how many. */
  prepareDue(now: number, limit: number): number {
    let moved = 0;
    for (; moved < limit; moved++) {
      const job = this.waiting.first();
      if (job === undefined || job.record.at > now) break;
      this.waiting.pop();
      this.prepare(job);
    }
    return moved;
  }

  /** The groups that have prepared jobs. */
  preparedGroups(): PreparedGroup[] {
    return [...this.groups.values()];
  }

  /** From prepared or waiting to busy: a write about it begins. */
  markBusy(job: QueuedJob): void {
    this.leave(job);
    job.place = "busy";
  }

  /** From busy (its claim is committed), or from the database at recovery, to running. */
  run(record: JobRecord, payloadLoaded: boolean): QueuedJob {
    const job = this.own(record, payloadLoaded);
    job.place = "running";
    this.runningCount++;
    return job;
  }

  /** Takes it out of memory, wherever it is. */
  drop(id: number): void {
    const job = this.jobs.get(id);
    if (job === undefined) return;
    this.leave(job);
    this.jobs.delete(id);
    this.countByClass.set(job.record.classId, this.classSize(job.record.classId) - 1);
  }

  private own(record: JobRecord, payloadLoaded: boolean): QueuedJob {
    const known = this.jobs.get(record.id);
    if (known !== undefined && known.record.classId === record.classId) {
      this.leave(known);
      known.record = record;
      known.payloadLoaded = payloadLoaded;
      return known;
    }
    this.drop(record.id);
    const job: QueuedJob = { record, payloadLoaded, place: "busy", group: null, turn: 0, heapIndex: -1 };
    this.jobs.set(record.id, job);
    this.countByClass.set(record.classId, this.classSize(record.classId) + 1);
    return job;
  }

  private prepare(job: QueuedJob): void {
    const { slots, memoryMb } = job.record.spec.requirements;
    const key = `${job.record.classId}/${slots}/${memoryMb}`;
    let group = this.groups.get(key);
    if (group === undefined) {
      group = { key, classId: job.record.classId, slots, memoryMb, jobs: new Heap() };
      this.groups.set(key, group);
    }
    job.group = group;
    job.turn = turnOf(job.record);
    group.jobs.push(job, job.turn, job.record.id);
    job.place = "prepared";
    this.preparedCount++;
  }

  private leave(job: QueuedJob): void {
    if (job.place === "waiting") this.waiting.remove(job);
    else if (job.place === "running") this.runningCount--;
    else if (job.group !== null) {
      job.group.jobs.remove(job);
      if (job.group.jobs.size === 0) this.groups.delete(job.group.key);
      job.group = null;
      this.preparedCount--;
    }
    job.place = "busy";
  }
}

/** The group whose first job goes before those of all others; undefined: none has one. */
export function firstGroup(groups: readonly PreparedGroup[]): PreparedGroup | undefined {
  let best: PreparedGroup | undefined;
  let bestJob: QueuedJob | undefined;
  for (const group of groups) {
    const job = group.jobs.first();
    if (job !== undefined && (bestJob === undefined || goesBefore(job, bestJob))) {
      best = group;
      bestJob = job;
    }
  }
  return best;
}
