/**
 * Accepts jobs. Each gets an id from a block, so that the identical insert can be repeated after an
 * unknown outcome. Keys: a job's own key names the job for as long as it is kept; the key of a call
 * names the block of ids of that call for an hour, so that the same call made again finds its jobs.
 */

import { childSpec, type ParentOccurrence } from "../core/child.ts";
import { ElasticJobError, invalidArgument, isError } from "../core/errors.ts";
import { hasEnded, type JobRecord, type JobSpec, NEVER, STORED_STATUS } from "../core/job.ts";
import { firstDue } from "../core/next-due.ts";
import type { JobKey } from "../store/job-store.ts";
import type { AddUnit } from "./add-batch.ts";
import type { Born, BornClaimed } from "./born-claimed.ts";
import type { ClassRegistry } from "./class-registry.ts";
import type { MasterContext } from "./context.ts";
import type { Endings } from "./endings.ts";
import { GroupCommit } from "./group-commit.ts";
import { IdBlocks } from "./id-blocks.ts";
import type { AddedJob, AddItem } from "./job-api.ts";
import type { JobMemory } from "./job-memory.ts";

const CALL_KEY_LIFE_MS = 3_600_000;
const OCCURRENCE_KEY_LIFE_MS = 86_400_000;
/** How often an add whose key is taken, or whose job just went, is looked at anew. */
const MAX_TRIES = 5;

type Added = AddedJob | ElasticJobError;

/** Jobs of a call that are stored as one unit. */
const MAX_UNIT_JOBS = 250;

interface Item {
  /** In the call. */
  readonly index: number;
  readonly spec: JobSpec;
  readonly id: number;
}

/** Whether the job was stored by this very call. */
function isStoredAs(id: number, outcome: Added | undefined): boolean {
  return outcome !== undefined && !(outcome instanceof ElasticJobError) && outcome.jobId === id;
}

/** Whether an error says that the job itself is not acceptable. */
function isRefusal({ code }: ElasticJobError): boolean {
  return code === "invalid_argument" || code === "failed_precondition" || code === "already_exists";
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error("an outcome is missing");
  return item;
}

export function jobKey(idempotencyKey: string): string {
  return `job:${idempotencyKey}`;
}

function childKey({ id }: JobRecord, key: string): string {
  return `child:${id}:${key}`;
}

export class Intake {
  private readonly context: MasterContext;
  private readonly memory: JobMemory;
  private readonly classes: ClassRegistry;
  private readonly bornClaimed: BornClaimed;
  private readonly ids: IdBlocks;
  private readonly commits: GroupCommit;
  /** Keys of adds that are under way: the same key again waits for the first. */
  private readonly keysInFlight = new Map<string, Promise<unknown>>();
  /** Null when a job of this spec may be added, else why not. */
  private readonly refusal: (spec: JobSpec) => ElasticJobError | null;

  constructor(
    context: MasterContext,
    parts: {
      memory: JobMemory;
      classes: ClassRegistry;
      endings: Endings;
      bornClaimed: BornClaimed;
      refusal: (spec: JobSpec) => ElasticJobError | null;
    },
  ) {
    this.context = context;
    this.memory = parts.memory;
    this.classes = parts.classes;
    this.bornClaimed = parts.bornClaimed;
    this.refusal = parts.refusal;
    this.ids = new IdBlocks(context);
    this.commits = new GroupCommit(context, (unit) => parts.endings.reread(unit.records.map(({ id }) => id)));
  }

  async addJobs(items: readonly AddItem[], callKey: string | null): Promise<Added[]> {
    if (callKey === null) return this.addAll(items, await this.ids.take(items.length), null);
    const key = `call:${callKey}`;
    return this.aloneWithKey(key, async () => {
      const { store, epoch, time } = this.context;
      const firstId = (await store.readKeys(epoch, [key], time.now())).get(key);
      if (firstId !== undefined) return this.replay(items, firstId);
      return this.addAll(items, await this.ids.take(items.length), {
        key,
        jobId: 0,
        expiresAt: time.now() + CALL_KEY_LIFE_MS,
      });
    });
  }

  /**
   * Adds a job of its own for one occurrence of another; null: now. With a key the same one is
   * returned again: for an hour, longer than any repetition of a call takes; for an occurrence for a day,
   * as a master may die before the parent goes on, and all be out for a while then.
   */
  async addChild(
    parent: JobRecord,
    occurrence: ParentOccurrence | null,
    key: string | null,
  ): Promise<number> {
    const spec = childSpec(parent.spec, occurrence);
    if (key === null) return (await this.store(spec, await this.ids.take(1), [], parent.id)).jobId;
    const fullKey = childKey(parent, key);
    return this.aloneWithKey(fullKey, async () => {
      const { store, epoch, time } = this.context;
      const taken = (await store.readKeys(epoch, [fullKey], time.now())).get(fullKey);
      if (taken !== undefined) return taken;
      const id = await this.ids.take(1);
      const lifeMs = occurrence === null ? CALL_KEY_LIFE_MS : OCCURRENCE_KEY_LIFE_MS;
      const keys = [{ key: fullKey, jobId: id, expiresAt: time.now() + lifeMs }];
      return (await this.store(spec, id, keys, parent.id)).jobId;
    });
  }

  /** Whether that one is there. */
  async hasChild(parent: JobRecord, key: string): Promise<boolean> {
    const { store, epoch, time } = this.context;
    return (await store.readKeys(epoch, [childKey(parent, key)], time.now())).size > 0;
  }

  /** The same call again: what it stored is answered from the rows; what it did not, is added now. */
  private async replay(items: readonly AddItem[], firstId: number): Promise<Added[]> {
    const records = await this.context.store.readJobs(items.map((_, index) => firstId + index));
    return Promise.all(
      items.map(async (item, index) => {
        const record = records.get(firstId + index);
        if (record !== undefined) {
          // Its write may have been given up as failed.
          if (this.memory.queues.get(record.id) === undefined) this.memory.place(record);
          return { jobId: record.id, created: true, nextRunAt: record.scheduledAt };
        }
        return item instanceof ElasticJobError ? item : this.addOne(item, firstId + index, null);
      }),
    );
  }

  private async addAll(call: readonly AddItem[], firstId: number, callKey: JobKey | null): Promise<Added[]> {
    const outcomes: (Added | Promise<Added>)[] = [];
    const units: Item[][] = [];
    for (const [index, item] of call.entries()) {
      const spec = item instanceof ElasticJobError ? item : (this.refusal(item) ?? item);
      if (spec instanceof ElasticJobError) {
        outcomes[index] = spec;
        continue;
      }
      const unit = units.at(-1);
      const isPlain = spec.idempotencyKey === null;
      const fits = isPlain && unit?.[0]?.spec.idempotencyKey === null && unit.length < MAX_UNIT_JOBS;
      if (fits) unit.push({ index, spec, id: firstId + index });
      else units.push([{ index, spec, id: firstId + index }]);
    }
    const rest = await this.storeKey(
      units,
      callKey === null ? null : { ...callKey, jobId: firstId },
      outcomes,
    );
    for (const unit of rest) {
      const stored = this.storeMany(unit);
      for (const [index, item] of unit.entries())
        outcomes[item.index] = stored.then((added) => at(added, index));
    }
    return Promise.all(outcomes);
  }

  /**
   * Stores the key of a call with the first of its jobs that is not refused, before any other: if the call is
   * cut short after that, its repetition finds what is there. Returns the units that are left to store.
   */
  private async storeKey(
    units: readonly Item[][],
    key: JobKey | null,
    outcomes: (Added | Promise<Added>)[],
  ): Promise<Item[][]> {
    const left = [...units];
    while (key !== null && left.length > 0) {
      const unit = left.shift() ?? [];
      const added = await this.storeMany(unit, key);
      for (const [index, item] of unit.entries()) outcomes[item.index] = at(added, index);
      if (unit.some(({ id }, index) => isStoredAs(id, added[index]))) return left;
      const failure = added.find((outcome) => outcome instanceof ElasticJobError && !isRefusal(outcome));
      if (failure === undefined) continue;
      // Whether the key is there is unknown: nothing more may be stored that its repetition could not find.
      for (const item of left.flat()) outcomes[item.index] = failure;
      return [];
    }
    return left;
  }

  /** A unit of jobs, with the call's key if it is to go in with them; if the database refuses it, each on its own. */
  private async storeMany(items: readonly Item[], key: JobKey | null = null): Promise<Added[]> {
    const [first] = items;
    if (first !== undefined && first.spec.idempotencyKey !== null) {
      return [await this.addOne(first.spec, first.id, key)];
    }
    try {
      const prepared = await Promise.all(items.map(({ spec, id }) => this.prepare(spec, id, 0)));
      await this.commit(prepared, key === null ? [] : [key]);
      return prepared.map(({ id, at: nextRunAt }) => ({ jobId: id, created: true, nextRunAt }));
    } catch (error) {
      if (!(error instanceof ElasticJobError)) throw error;
      if (items.length === 1 || !isError(error, "invalid_argument")) return items.map(() => error);
    }
    const added: Added[] = [];
    let carried = key;
    for (const { spec, id } of items) {
      const outcome = await this.addOne(spec, id, carried);
      if (isStoredAs(id, outcome)) carried = null;
      added.push(outcome);
    }
    return added;
  }

  private async addOne(spec: JobSpec, id: number, callKey: JobKey | null): Promise<Added> {
    const refused = this.refusal(spec);
    if (refused !== null) return refused;
    try {
      if (spec.idempotencyKey === null) return await this.store(spec, id, callKey === null ? [] : [callKey]);
      return await this.addWithKey(spec, spec.idempotencyKey, id, callKey);
    } catch (error) {
      if (error instanceof ElasticJobError) return error;
      throw error;
    }
  }

  private addWithKey(
    spec: JobSpec,
    idempotencyKey: string,
    id: number,
    callKey: JobKey | null,
  ): Promise<AddedJob> {
    const { store, epoch, time } = this.context;
    const key = jobKey(idempotencyKey);
    return this.aloneWithKey(key, async () => {
      for (let tries = 0; ; tries++) {
        const taken = (await store.readKeys(epoch, [key], time.now())).get(key);
        const record = taken === undefined ? undefined : (await store.readJobs([taken])).get(taken);
        const isFree = record !== undefined && record.spec.keyLife === "unfinished" && hasEnded(record);
        if (record !== undefined && !isFree) {
          return { jobId: record.id, created: record.id === id, nextRunAt: record.scheduledAt };
        }
        if (isFree) await store.freeKeys(epoch, [{ key, jobId: record.id }]);
        const expiresAt = typeof spec.keyLife === "number" ? time.now() + spec.keyLife : NEVER;
        const keys = [{ key, jobId: id, expiresAt }, ...(callKey === null ? [] : [callKey])];
        try {
          return await this.store(spec, id, keys);
        } catch (error) {
          // Stored by an earlier try of ours, or by the master before us: look again.
          if (!isError(error, "already_exists") || tries >= MAX_TRIES) throw error;
        }
      }
    });
  }

  private async store(spec: JobSpec, id: number, keys: readonly JobKey[], parentId = 0): Promise<AddedJob> {
    const record = await this.prepare(spec, id, parentId);
    await this.commit([record], keys);
    return { jobId: id, created: true, nextRunAt: record.at };
  }

  private async prepare(spec: JobSpec, id: number, parentId: number): Promise<JobRecord> {
    const jobClass = this.classes.find(spec) ?? (await this.classes.findOrAdd(spec));
    const now = this.context.time.now();
    const due = firstDue({ id, spec }, now);
    if (due === null) {
      throw invalidArgument([{ field: "schedule", message: "has no occurrence any more" }]);
    }
    return {
      id,
      classId: jobClass.id,
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

  /** Stores the jobs, those that can be placed at once as claimed already, and sends or queues them. */
  private async commit(records: readonly JobRecord[], keys: readonly JobKey[]): Promise<void> {
    const born = new Map<number, Born>();
    for (const record of records) {
      const placed = record.spec.schedule.kind === "immediate" ? this.bornClaimed.place(record) : null;
      if (placed !== null) born.set(record.id, placed);
    }
    const rows = records.map((record) => born.get(record.id)?.record ?? record);
    const bytes = records.reduce(
      (sum, { spec }) => sum + 200 + spec.name.length + (spec.payload?.length ?? 0),
      0,
    );
    for (const { id } of records) this.memory.expect(id);
    try {
      await new Promise<void>((resolve, reject) => {
        this.commits.add({ records: rows, keys, bytes, resolve, reject } satisfies AddUnit);
      });
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
  }

  /** One add with a key at a time. */
  private async aloneWithKey<T>(key: string, work: () => Promise<T>): Promise<T> {
    for (let other = this.keysInFlight.get(key); other !== undefined; other = this.keysInFlight.get(key)) {
      await other.catch(() => undefined);
    }
    const result = work();
    this.keysInFlight.set(key, result);
    return result.finally(() => this.keysInFlight.delete(key));
  }
}
