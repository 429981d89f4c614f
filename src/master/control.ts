/**
 * Callers' changes of one job. Each waits for the write about the job that is in flight, reads the
 * row, decides, and writes with the row as it was read for a guard; a write that misses (a node
 * projected a result meanwhile) starts over.
 */
import { ElasticJobError } from "../core/errors.ts";
import { type JobRecord, type JobSpec, OUTCOME, STORED_STATUS } from "../core/job.ts";
import { firstOccurrence } from "../core/schedule.ts";
import type { ClassRegistry } from "./class-registry.ts";
import type { MasterContext } from "./context.ts";
import { finalRow } from "./endings.ts";
import type { InFlight } from "./in-flight.ts";
import type { JobMemory } from "./job-memory.ts";
import type { NodeSessions } from "./node-sessions.ts";

const MAX_TRIES = 20;

export function jobNotFound(jobId: number): ElasticJobError {
  return new ElasticJobError("not_found", `jobId: there is no job ${jobId}`);
}

export class Control {
  private readonly context: MasterContext;
  private readonly memory: JobMemory;
  private readonly inFlight: InFlight;
  private readonly classes: ClassRegistry;
  private readonly sessions: NodeSessions;

  constructor(
    context: MasterContext,
    parts: { memory: JobMemory; inFlight: InFlight; classes: ClassRegistry; sessions: NodeSessions },
  ) {
    this.context = context;
    this.memory = parts.memory;
    this.inFlight = parts.inFlight;
    this.classes = parts.classes;
    this.sessions = parts.sessions;
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
      const jobClass = await this.classes.findOrAdd(spec);
      const rescheduled = JSON.stringify(spec.schedule) !== JSON.stringify(before.spec.schedule);
      const row = {
        ...(rescheduled ? this.reschedule(before, spec) : { ...before, spec }),
        classId: jobClass.id,
        revision: before.revision + 1,
        updateTime: this.context.time.now(),
      };
      const guard = { claim: before.claim, revision: before.revision, status: before.status };
      if (!(await this.context.store.changeJob(this.context.epoch, { jobId, guard, row }))) return null;
      if (row.status === STORED_STATUS.RUNNING) this.memory.run(row);
      else this.memory.place(row);
      return row;
    });
  }

  async deleteJob(jobId: number): Promise<void> {
    await this.write(jobId, async (record) => {
      const { store, epoch, time } = this.context;
      if (record.status === STORED_STATUS.RUNNING) {
        // First the row: whatever the handler still reports comes late.
        const details = { reason: "the job was deleted", retryAt: null };
        await store.writeFinalRows(epoch, [finalRow(record, OUTCOME.CANCELLED, time.now(), details)]);
      }
      const guard = { claim: record.claim, revision: record.revision, status: record.status };
      if (!(await store.deleteJob(epoch, jobId, guard))) return null;
      this.sessions.abort(jobId, record.claim);
      this.memory.remove(jobId);
      return record;
    });
  }

  /** A new schedule starts at its first occurrence; an attempt that runs is left to end first. */
  private reschedule(before: JobRecord, spec: JobSpec): JobRecord {
    const first = firstOccurrence(spec.schedule, this.context.time.now());
    if (before.status === STORED_STATUS.RUNNING) {
      return { ...before, spec: { ...spec, startsAt: Math.max(first, before.scheduledAt + 1) } };
    }
    const { startsAt: _, ...fresh } = spec;
    return {
      ...before,
      spec: fresh,
      status: before.status === STORED_STATUS.PAUSED ? before.status : STORED_STATUS.WAITING,
      at: before.status === STORED_STATUS.PAUSED ? before.at : first,
      scheduledAt: first,
      attempt: 0,
      failures: 0,
      lost: 0,
    };
  }

  /** `attempt` returns null when its guard missed. */
  private write(
    jobId: number,
    attempt: (record: JobRecord) => Promise<JobRecord | null>,
  ): Promise<JobRecord> {
    return this.inFlight.alone(jobId, async () => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const record = (await this.context.store.readJobs([jobId])).get(jobId);
        if (record === undefined) throw jobNotFound(jobId);
        if (!this.context.trusted()) break;
        const written = await attempt(record);
        if (written !== null) return written;
      }
      throw new ElasticJobError(
        "unavailable",
        "the job keeps changing, or this node is no longer master; try again",
      );
    });
  }
}
