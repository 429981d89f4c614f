import { sleep } from "../../core/clock.ts";
import type { JobRecord } from "../../core/job.ts";
import type { JobKey } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import type { AddedJob } from "../job-api.ts";
import type { ClassRegistry } from "../memory/class-registry.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import type { Born, BornClaimed } from "./born-claimed.ts";
import { GroupCommit } from "./group-commit.ts";
import { type NewJob, newRecord } from "./new-job.ts";

/** What a row takes besides its name and payload. */
const ROW_BYTES = 200;

/** Stores new jobs, those that can be placed at once as claimed already, and sends or queues them. */
export class JobInserter {
  private readonly context: MasterContext;
  private readonly classes: ClassRegistry;
  private readonly memory: JobMemory;
  private readonly bornClaimed: BornClaimed;
  private readonly commits: GroupCommit;

  constructor(
    context: MasterContext,
    parts: { classes: ClassRegistry; memory: JobMemory; endings: Endings; bornClaimed: BornClaimed },
  ) {
    this.context = context;
    this.classes = parts.classes;
    this.memory = parts.memory;
    this.bornClaimed = parts.bornClaimed;
    this.commits = new GroupCommit(context, (unit) => parts.endings.reread(unit.records.map(({ id }) => id)));
  }

  /**
   * All or none, with the keys. Resolves once they are committed; throws as `insertJobs` of the store does, and
   * `invalid_argument` when a job is never due.
   */
  async insert(jobs: readonly NewJob[], keys: readonly JobKey[], parentId = 0): Promise<AddedJob[]> {
    const records: JobRecord[] = [];
    for (const job of jobs) {
      // Not awaited for each: most often the class is known.
      const { id: classId } = this.classes.find(job.spec) ?? (await this.classes.findOrAdd(job.spec));
      records.push(newRecord(job, classId, parentId, this.context.time.now()));
    }
    await this.store(records, keys);
    return records.map(({ id, at }) => ({ jobId: id, created: true, nextRunAt: at }));
  }

  private async store(records: readonly JobRecord[], keys: readonly JobKey[]): Promise<void> {
    const born = new Map<number, Born>();
    const rows: JobRecord[] = [];
    let bytes = keys.reduce((sum, { digest }) => sum + (digest?.byteLength ?? 0), 0);
    for (const record of records) {
      const placed = record.spec.schedule.kind === "immediate" ? this.bornClaimed.place(record) : null;
      if (placed !== null) born.set(record.id, placed);
      rows.push(placed?.record ?? record);
      bytes += ROW_BYTES + record.spec.name.length + (record.spec.payload?.length ?? 0);
      this.memory.expect(record.id);
    }
    try {
      await new Promise<void>((resolve, reject) =>
        this.commits.add({ records: rows, keys, bytes, resolve, reject }),
      );
    } catch (error) {
      for (const { id } of records) this.memory.expectNoMore(id);
      for (const placed of born.values()) this.bornClaimed.giveUp(placed);
      throw error;
    }
    for (const record of records) {
      const placed = born.get(record.id);
      if (placed !== undefined) this.bornClaimed.send(placed);
      else this.memory.placeNew(record);
    }
    // What was sent leaves at the end of this turn of the event loop; making the caller's answer would hold it up.
    if (born.size > 0) await sleep(this.context.clock, 0);
  }
}
