/**
 * Calls with a key: each of their jobs is added once, however often it is asked for. The key, stored for an hour, names
 * a block of ids, and the place of a job in the call is its place in the block: so a repetition finds the rows that are
 * there. Many calls may share a key, each for a part of its block: then only the first of them stores it.
 */
import { ElasticJobError } from "../../core/errors.ts";
import type { MasterContext } from "../context.ts";
import type { AddedJob, AddItem, KeyPart } from "../job-api.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import type { IdBlocks } from "./id-blocks.ts";
import { CALL_KEY_LIFE_MS, type CallKey, type JobAdder, type NewJob } from "./job-keys.ts";
import { type SharedKey, SharedKeys, track } from "./shared-keys.ts";

/** Of a key that many calls share, so that the last of them, too, can be made again for an hour. */
const SHARED_KEY_LIFE_MS = 2 * CALL_KEY_LIFE_MS;
/** How long a shared key is remembered that this mastership stored, and that it found in the store. */
const STORED_KEY_MS = CALL_KEY_LIFE_MS / 2;
const FOUND_KEY_MS = CALL_KEY_LIFE_MS / 6;
/** How often a call whose key is taken is looked at anew. */
const MAX_TRIES = 5;

export type Added = AddedJob | ElasticJobError;

/** How jobs are added, whatever their calls' keys. */
export interface Adding {
  /** The first gets `firstId`, the others those after it. The key goes in with the first job that is stored. */
  all(items: readonly AddItem[], firstId: number, callKey: CallKey | null): Promise<Added[]>;
  one(job: NewJob, callKey: CallKey | null): Promise<Added>;
}

/** What becomes of a key's row. */
interface KeyHooks {
  readonly lifeMs: number;
  /** A block that is the key's, though nothing of it was ever stored. */
  takeBlock(): number | undefined;
  /** The key's row is stored, or was there. Before the call's other jobs are. */
  isThere(firstId: number, how: "stored" | "found"): void;
  /** Nothing was stored, and nothing will be. */
  keepBlock(firstId: number): void;
}

const WHOLE_CALL: KeyHooks = {
  lifeMs: CALL_KEY_LIFE_MS,
  takeBlock: () => undefined,
  isThere() {},
  keepBlock() {},
};

/** Whether an error says that the job itself is not acceptable. */
export function isRefusal({ code }: ElasticJobError): boolean {
  return code === "invalid_argument" || code === "failed_precondition";
}

function isTaken({ code }: ElasticJobError): boolean {
  return code === "already_exists";
}

export class KeyedCalls {
  private readonly context: MasterContext;
  private readonly memory: JobMemory;
  private readonly adder: JobAdder;
  private readonly ids: IdBlocks;
  private readonly adding: Adding;
  private readonly shared = new SharedKeys();

  constructor(
    context: MasterContext,
    parts: { memory: JobMemory; adder: JobAdder; ids: IdBlocks; adding: Adding },
  ) {
    this.context = context;
    this.memory = parts.memory;
    this.adder = parts.adder;
    this.ids = parts.ids;
    this.adding = parts.adding;
  }

  /** `part`: null when the key is this call's alone. */
  async add(items: readonly AddItem[], name: string, part: KeyPart | null): Promise<Added[]> {
    if (part !== null) return this.addPart(items, `part:${part.jobs}:${name}`, part);
    const key = `call:${name}`;
    const whole = { jobs: items.length, first: 0 };
    return this.adder.aloneWithKey(key, () => this.addOnce(items, key, whole, WHOLE_CALL));
  }

  private async addPart(items: readonly AddItem[], key: string, part: KeyPart): Promise<Added[]> {
    const known = this.shared.get(key);
    if (known !== undefined && this.isNew(known, part)) return this.addNew(items, known, part);
    // Not awaited in there: those that wait for the key to be stored need not wait for each other.
    const { adding } = await this.adder.aloneWithKey(key, async () => {
      const now = this.shared.get(key);
      if (now !== undefined && this.isNew(now, part)) return { adding: this.addNew(items, now, part) };
      if (now !== undefined) now.untried = Math.max(now.untried, part.first + items.length);
      await Promise.allSettled(now?.underWay ?? []);
      if (now === undefined || this.isOver(now)) return this.addFirst(items, key, part);
      return { adding: await this.replay(items, now.firstId + part.first) };
    });
    return adding;
  }

  private isOver({ expiresAt }: SharedKey): boolean {
    return expiresAt <= this.context.time.now();
  }

  private isNew(known: SharedKey, { first }: KeyPart): boolean {
    return first >= known.untried && !this.isOver(known);
  }

  /** Jobs that nobody has asked for before: their ids are free. */
  private addNew(items: readonly AddItem[], known: SharedKey, { first }: KeyPart): Promise<Added[]> {
    known.untried = first + items.length;
    const adding = this.adding.all(items, known.firstId + first, null);
    track(known, adding);
    return adding;
  }

  /** Of a key that this mastership does not know. Resolves when its row is there: all else can go beside what follows. */
  private async addFirst(
    items: readonly AddItem[],
    key: string,
    part: KeyPart,
  ): Promise<{ readonly adding: Promise<Added[]> }> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const adding = this.addOnce(items, key, part, {
      lifeMs: SHARED_KEY_LIFE_MS,
      takeBlock: () => this.shared.takeBlock(key),
      isThere: (firstId, how) => {
        const expiresAt = this.context.time.now() + (how === "stored" ? STORED_KEY_MS : FOUND_KEY_MS);
        // Of a key that was found, others may have asked for all.
        const untried = how === "stored" ? part.first + items.length : part.jobs;
        this.shared.remember(key, { firstId, expiresAt, untried }, adding);
        resolve();
      },
      keepBlock: (firstId) => this.shared.keepBlock(key, firstId),
    });
    await Promise.race([promise, adding]);
    return { adding };
  }

  /**
   * Most often it is the first time, so the jobs are stored, and the key is looked up only if it turns out to be
   * taken, or if no job was there that could carry it.
   */
  private async addOnce(
    items: readonly AddItem[],
    key: string,
    { jobs, first }: KeyPart,
    hooks: KeyHooks,
  ): Promise<Added[]> {
    for (let tries = 0; ; tries++) {
      const firstId = hooks.takeBlock() ?? (await this.ids.take(jobs));
      const expiresAt = this.context.time.now() + hooks.lifeMs;
      const stored = () => hooks.isThere(firstId, "stored");
      const callKey: CallKey = { row: { key, jobId: firstId, expiresAt }, isStored: false, stored };
      const outcomes = await this.adding.all(items, firstId + first, callKey);
      const failures = outcomes.filter((outcome) => outcome instanceof ElasticJobError);
      const isKnown = failures.every((failure) => isRefusal(failure) || isTaken(failure));
      if (callKey.isStored || !isKnown) return outcomes;
      const known = await this.adder.keys.read(key);
      if (known !== undefined) {
        hooks.isThere(known, "found");
        return this.replay(items, known + first);
      }
      if (!failures.some(isTaken)) {
        hooks.keepBlock(firstId);
        return outcomes;
      }
      // Taken a moment ago, and free now: it had expired.
      if (tries >= MAX_TRIES) return outcomes;
    }
  }

  /** The same call again: what it stored is answered from the rows; what it did not, is added now. */
  private async replay(items: readonly AddItem[], firstId: number): Promise<Added[]> {
    const there = await this.readAdded(items, firstId);
    const outcomes = await Promise.all(
      items.map((item, index): Added | Promise<Added> => {
        const added = there.get(firstId + index);
        if (added !== undefined) return added;
        if (item instanceof ElasticJobError) return item;
        return this.adding.one({ spec: item, id: firstId + index }, null);
      }),
    );
    const isClear = (outcome: Added) => !(outcome instanceof ElasticJobError) || outcome.code !== "internal";
    if (outcomes.every(isClear)) return outcomes;
    // A statement of an earlier try, of which nothing was known, has been carried out meanwhile.
    const now = await this.readAdded(items, firstId);
    return outcomes.map((outcome, index) =>
      isClear(outcome) ? outcome : (now.get(firstId + index) ?? outcome),
    );
  }

  private async readAdded(items: readonly AddItem[], firstId: number): Promise<Map<number, AddedJob>> {
    const records = await this.context.store.readJobs(items.map((_, index) => firstId + index));
    const added = new Map<number, AddedJob>();
    for (const record of records.values()) {
      // Its write may have been given up as failed.
      if (this.memory.queues.get(record.id) === undefined) this.memory.place(record);
      added.set(record.id, { jobId: record.id, created: true, nextRunAt: record.scheduledAt });
    }
    return added;
  }
}
