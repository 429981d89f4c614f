/**
 * Callers' changes of one job. Each waits for the write about the job that is in flight, reads the
 * row, decides, and writes with the row as it was read for a guard; a write that misses (a node
 * projected a result meanwhile) starts over. Every one can be repeated.
 */

import { firstDue } from "../../core/calendar/next-due.ts";
import { ElasticJobError, invalidArgument, isError } from "../../core/errors.ts";
import { type JobRecord, type JobSpec, OUTCOME, STORED_STATUS } from "../../core/job.ts";
import { moveOccurrence } from "../../core/state/move-occurrence.ts";
import { type Action, reschedule, transition } from "../../core/state/transitions.ts";
import { unknownZoneOf } from "../../core/state/unknown-zone.ts";
import { REPEATED_FOR_MS } from "../adding/call-keys.ts";
import type { Children } from "../adding/children.ts";
import { goneKey } from "../adding/gone-jobs.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import { finalRow } from "../ending/final-row.ts";
import type { FinalRows } from "../ending/final-rows.ts";
import { jobNotFound } from "../job-api.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import { type ClassRegistry, isSameClass } from "../memory/class-registry.ts";
import type { InFlight } from "../memory/in-flight.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import type { NodeSessions } from "../nodes/node-sessions.ts";

const MAX_TRIES = 20;

export interface ControlParts {
  readonly memory: JobMemory;
  readonly inFlight: InFlight;
  readonly classes: ClassRegistry;
  readonly holders: ClaimHolders;
  readonly sessions: NodeSessions;
  readonly endings: Endings;
  readonly children: Children;
  readonly finalRows: FinalRows;
  /** Null when a job of this spec could be added, else why not. */
  readonly refusal: (spec: JobSpec) => ElasticJobError | null;
}

export class Control {
  private readonly context: MasterContext;
  private readonly parts: ControlParts;

  constructor(context: MasterContext, parts: ControlParts) {
    this.context = context;
    this.parts = parts;
  }

  /** Pause, resume, cancel or retry; `scheduledAt`: only this occurrence. */
  act(action: Action, jobId: number, scheduledAt: number | null = null): Promise<JobRecord> {
    return this.write(jobId, async (before) => {
      const step = transition(action, before, this.context.time.now(), scheduledAt);
      switch (step.kind) {
        case "keep":
          return before;
        case "refuse":
          throw new ElasticJobError("failed_precondition", `jobId: ${step.message}`);
        case "change":
          return this.change(before, step.row);
        case "end": {
          // Before its row is written: without its next occurrence it could not go on.
          const zone = unknownZoneOf(before.spec);
          if (zone !== null) throw new ElasticJobError("failed_precondition", `jobId: ${zone}`);
          // It runs beside its job already: what is current is the one after it.
          if (await this.parts.children.goOnIfSpawned(before)) return null;
          return this.parts.endings.cancelWaiting(before);
        }
        case "abort":
          return this.cancelRunning(before);
      }
    });
  }

  updateJob(jobId: number, revision: number | null, change: (spec: JobSpec) => JobSpec): Promise<JobRecord> {
    return this.write(jobId, async (before) => {
      if (revision !== null && revision !== before.revision) {
        throw new ElasticJobError(
          "failed_precondition",
          `revision: the job is at revision ${before.revision}, not at ${revision}`,
        );
      }
      const spec = change(before.spec);
      if (spec === before.spec) return before;
      if (!isSameClass(spec, before.spec)) {
        const refused = this.parts.refusal(spec);
        if (refused !== null) throw refused;
      }
      const classId = (await this.parts.classes.findOrAdd(spec)).id;
      return this.change(before, { ...this.withSpec(before, spec), classId });
    });
  }

  /** By new rules of time zones: to the same local time. */
  async moveOccurrence(jobId: number): Promise<JobRecord> {
    return this.write(jobId, async (before) => {
      const moved = moveOccurrence(before, this.context.time.now());
      return moved === null ? before : this.change(before, moved);
    });
  }

  /** The job as it was. */
  deleteJob(jobId: number): Promise<JobRecord> {
    const { memory, sessions } = this.parts;
    return this.write(jobId, async (record) => {
      const { store, epoch } = this.context;
      // First the row: whatever the handler still reports comes late.
      if (record.status === STORED_STATUS.RUNNING) await this.writeCancelled(record, "the job was deleted");
      const guard = { claim: record.claim, revision: record.revision, status: record.status };
      await this.noteGone(record);
      if (!(await store.deleteJob(epoch, jobId, guard))) return null;
      sessions.abort(record);
      memory.remove(jobId);
      return record;
    });
  }

  /** First: whoever makes the call again that has added it must not add it again, under the same id. */
  private async noteGone(record: JobRecord): Promise<void> {
    const { store, epoch, time } = this.context;
    const expiresAt = record.createTime + REPEATED_FOR_MS;
    if (expiresAt > time.now()) await store.keepKey(epoch, goneKey(record, expiresAt));
  }

  private withSpec(before: JobRecord, spec: JobSpec): JobRecord {
    const timing = (of: JobSpec) => JSON.stringify([of.schedule, of.bounds, of.jitterMs]);
    if (timing(spec) === timing(before.spec)) return { ...before, spec };
    const due = firstDue({ id: before.id, spec }, this.context.time.now());
    if (due === null) throw invalidArgument([{ field: "schedule", message: "has no occurrence any more" }]);
    return reschedule(before, spec, due);
  }

  /** Null: the guard missed. */
  private async change(before: JobRecord, after: JobRecord): Promise<JobRecord | null> {
    const { store, epoch, time } = this.context;
    const { memory, holders } = this.parts;
    const row = { ...after, revision: before.revision + 1, updateTime: time.now() };
    const guard = { claim: before.claim, revision: before.revision, status: before.status };
    if (!(await store.changeJob(epoch, { jobId: before.id, guard, row }))) return null;
    const known = memory.queues.get(before.id);
    if (row.status !== STORED_STATUS.RUNNING) memory.place(row);
    else if (known?.place === "running") memory.run(row);
    // By a claim whose write was given up as failed: somebody has to speak for it.
    else holders.found(row);
    return row;
  }

  /**
   * The row, and the abort. The job stays RUNNING until its node says that the handler has ended, or is gone:
   * nothing of it may start beside a handler that takes its time over the abort (G7).
   */
  private async cancelRunning(record: JobRecord): Promise<JobRecord> {
    const { memory, sessions, holders } = this.parts;
    await this.writeCancelled(record, "cancelled by a caller");
    memory.run(record);
    sessions.abort(record);
    // Where nobody holds the claim, nobody would say so.
    holders.found(record);
    return record;
  }

  /** If a row is there already, that one counts. */
  private async writeCancelled(record: JobRecord, reason: string): Promise<void> {
    const row = finalRow(record, OUTCOME.CANCELLED, this.context.time.now(), { reason, retryAt: null });
    await this.parts.finalRows.write([{ record, row }]);
  }

  /** `attempt` returns null when its guard missed. */
  private write(
    jobId: number,
    attempt: (record: JobRecord) => Promise<JobRecord | null>,
  ): Promise<JobRecord> {
    return this.parts.inFlight.alone(jobId, async () => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const record = (await this.context.store.readJobs([jobId])).get(jobId);
        if (record === undefined) throw jobNotFound(jobId);
        if (!this.context.trusted()) break;
        const written = await attempt(record).catch((error: unknown) => {
          // It may have been written: the next try would find nothing to do, and memory would never hear of it.
          if (isError(error, "unavailable")) this.parts.endings.reread([jobId]);
          throw error;
        });
        if (written !== null) return written;
      }
      throw new ElasticJobError(
        "unavailable",
        "the job keeps changing, or this node is no longer master; try again",
      );
    });
  }
}
