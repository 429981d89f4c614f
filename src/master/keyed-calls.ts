/**
 * Calls with a key: each of their jobs is added once, however often it is asked for. The key, stored for an hour, names
 * a block of ids, and the place of a job in the call is its place in the block: so a repetition finds the rows that are
 * there. Many calls may share a key, each for a part of its block: then only the first of them stores it.
 */
import { ElasticJobError } from "../core/errors.ts";
import type { MasterContext } from "./context.ts";
import type { IdBlocks } from "./id-blocks.ts";
import { CALL_KEY_LIFE_MS, type CallKey, type JobAdder, type NewJob } from "./job-adder.ts";
import type { AddedJob, AddItem, KeyPart } from "./job-api.ts";
import type { JobMemory } from "./job-memory.ts";

/** How often a call whose key is taken is looked at anew. */
const MAX_TRIES = 5;
/** Shared keys that are remembered; of the others, each call looks for its rows first. */
const MAX_SHARED_KEYS = 1_000;

export type Added = AddedJob | ElasticJobError;

/** How jobs are added, whatever their calls' keys. */
export interface Adding {
  /** The first gets `firstId`, the others those after it. The key goes in with the first job that is stored. */
  all(items: readonly AddItem[], firstId: number, callKey: CallKey | null): Promise<Added[]>;
  one(job: NewJob, callKey: CallKey | null): Promise<Added>;
}

interface SharedKey {
  readonly firstId: number;
  readonly expiresAt: number;
  /** Nobody has asked for the jobs from this place on. */
  untried: number;
  readonly underWay: Set<Promise<unknown>>;
}

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
  /** Those that this mastership stored or read, oldest first. */
  private readonly shared = new Map<string, SharedKey>();

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
    return this.adder.aloneWithKey(key, () => this.addOnce(items, key, whole));
  }

  private async addPart(items: readonly AddItem[], key: string, part: KeyPart): Promise<Added[]> {
    const known = this.knownKey(key);
    if (known !== null && part.first >= known.untried) return this.addNew(items, known, part);
    // Not awaited in there: those that wait for the key to be stored need not wait for each other.
    const { adding } = await this.adder.aloneWithKey(key, async () => {
      const now = this.knownKey(key);
      if (now === null) return this.addFirst(items, key, part);
      if (part.first >= now.untried) return { adding: this.addNew(items, now, part) };
      now.untried = Math.max(now.untried, part.first + items.length);
      await Promise.allSettled(now.underWay);
      return { adding: await this.replay(items, now.firstId + part.first) };
    });
    return adding;
  }

  /** Of a key that this mastership has not met. Resolves when the key is stored: all else can go beside what follows. */
  private async addFirst(
    items: readonly AddItem[],
    key: string,
    part: KeyPart,
  ): Promise<{ readonly adding: Promise<Added[]> }> {
    const met = Promise.withResolvers<void>();
    const adding = this.addOnce(items, key, part, (firstId, untried) => {
      const underWay = this.remember(key, firstId, untried);
      underWay.add(adding);
      const end = () => underWay.delete(adding);
      adding.then(end, end);
      met.resolve();
    });
    await Promise.race([met.promise, adding]);
    return { adding };
  }

  /** Jobs that nobody has asked for before: their ids are free. */
  private addNew(items: readonly AddItem[], known: SharedKey, { first }: KeyPart): Promise<Added[]> {
    known.untried = first + items.length;
    const adding = this.adding
      .all(items, known.firstId + first, null)
      .finally(() => known.underWay.delete(adding));
    known.underWay.add(adding);
    return adding;
  }

  /**
   * Most often it is the first time, so the jobs are stored, and the key is looked up only if it turns out to be
   * taken, or if no job was there that could carry it. `met` hears of the key's block as soon as it is stored, or
   * found there, and from which place on nobody has asked for jobs.
   */
  private async addOnce(
    items: readonly AddItem[],
    key: string,
    { jobs, first }: KeyPart,
    met: (firstId: number, untried: number) => void = () => {},
  ): Promise<Added[]> {
    for (let tries = 0; ; tries++) {
      const firstId = await this.ids.take(jobs);
      const expiresAt = this.context.time.now() + CALL_KEY_LIFE_MS;
      const stored = () => met(firstId, first + items.length);
      const callKey: CallKey = { row: { key, jobId: firstId, expiresAt }, isStored: false, stored };
      const outcomes = await this.adding.all(items, firstId + first, callKey);
      const failures = outcomes.filter((outcome) => outcome instanceof ElasticJobError);
      const isKnown = failures.every((failure) => isRefusal(failure) || isTaken(failure));
      if (callKey.isStored || !isKnown) return outcomes;
      const known = await this.adder.keys.read(key);
      if (known !== undefined) {
        met(known, jobs);
        return this.replay(items, known + first);
      }
      // Taken a moment ago, and free now: it had expired.
      if (!failures.some(isTaken) || tries >= MAX_TRIES) return outcomes;
    }
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
        return item instanceof ElasticJobError
          ? item
          : this.adding.one({ spec: item, id: firstId + index }, null);
      }),
    );
  }

  private knownKey(key: string): SharedKey | null {
    const known = this.shared.get(key);
    return known === undefined || known.expiresAt <= this.context.time.now() ? null : known;
  }

  /** Returns what is under way of it. */
  private remember(key: string, firstId: number, untried: number): Set<Promise<unknown>> {
    const expiresAt = this.context.time.now() + CALL_KEY_LIFE_MS / 2;
    const known: SharedKey = { firstId, expiresAt, untried, underWay: new Set() };
    this.shared.delete(key);
    this.shared.set(key, known);
    for (const [old, { underWay }] of this.shared) {
      if (this.shared.size <= MAX_SHARED_KEYS) break;
      if (underWay.size === 0 && old !== key) this.shared.delete(old);
    }
    return known.underWay;
  }
}
