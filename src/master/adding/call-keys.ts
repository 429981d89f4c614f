/**
 * Calls with a key: each of their jobs is added once, however often it is asked for. The key, stored for an hour, names
 * a block of ids, and the place of a job in the call is its place in the block: so a repetition finds the rows that are
 * there. Many calls may share a key, each for a part of its block: then only the first of them stores it.
 *
 * Most often it is the first time. So the key is stored with the call's first jobs, and looked up only if it turns out
 * to be taken, or if no job was there that could carry it.
 */
import { sleep } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import { dueAt } from "../../core/state/misfire.ts";
import type { TakenKey } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { AddedJob, AddItem, AddOutcome, KeyPart, KeyUse } from "../job-api.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import { decodeDigests, digestInTurns, encodeDigests, type FieldDigests } from "./field-digests.ts";
import { readGone } from "./gone-jobs.ts";
import type { IdBlocks } from "./id-blocks.ts";
import { isRefusal, type JobUnits, type Progress } from "./job-units.ts";
import type { KeyReader } from "./key-reader.ts";
import { otherJobsOfCall, otherNumberOfJobs } from "./other-body.ts";
import { type SharedKey, SharedKeys, track } from "./shared-keys.ts";

/** Longer than any repetition of a call takes. */
export const CALL_KEY_LIFE_MS = 3_600_000;
/** Of a key that many calls share, so that the last of them, too, can be made again for an hour. */
const SHARED_KEY_LIFE_MS = 2 * CALL_KEY_LIFE_MS;
/** From when a job was added, no call that did it can be made again any more. */
export const REPEATED_FOR_MS = SHARED_KEY_LIFE_MS;
/** How long a shared key is remembered that this mastership stored, and that it found in the store. */
const STORED_KEY_MS = CALL_KEY_LIFE_MS / 2;
const FOUND_KEY_MS = CALL_KEY_LIFE_MS / 6;
/** How often a call whose key is taken is looked at anew. */
const MAX_TRIES = 5;

/** Where a call stands once its key has been tried. */
type Tried =
  /** The key is stored, with the first of the call's jobs; the others have yet to be. */
  | { readonly kind: "stored"; readonly firstId: number; readonly call: Progress }
  /** The key was there, and names a block. */
  | { readonly kind: "found"; readonly taken: TakenKey }
  /** Nothing was stored, and nothing will be: the block is the key's all the same. */
  | { readonly kind: "unused"; readonly firstId: number; readonly outcomes: AddOutcome[] }
  | { readonly kind: "failed"; readonly outcomes: AddOutcome[] };

function isTaken({ code }: ElasticJobError): boolean {
  return code === "key_taken";
}

export class CallKeys {
  private readonly context: MasterContext;
  private readonly parts: {
    readonly memory: JobMemory;
    readonly ids: IdBlocks;
    readonly keys: KeyReader;
    readonly units: JobUnits;
  };
  private readonly shared = new SharedKeys();
  private readonly adding = new OneAtATime<string>();

  constructor(context: MasterContext, parts: CallKeys["parts"]) {
    this.context = context;
    this.parts = parts;
  }

  add(items: readonly AddItem[], name: string, use: KeyUse): Promise<AddOutcome[]> {
    if (typeof use === "object" && use !== null) return this.addPart(items, `part:${use.jobs}:${name}`, use);
    const key = `call:${name}`;
    return this.adding.alone(key, async () => {
      const digest = use === null ? encodeDigests(await this.digest(items)) : undefined;
      const tried = await this.tryKey(items, key, {
        part: { jobs: items.length, first: 0 },
        ...(digest && { digest }),
        lifeMs: CALL_KEY_LIFE_MS,
        block: undefined,
      });
      if (tried.kind === "stored") return this.parts.units.storeRest(tried.call);
      return tried.kind === "found" ? this.replayWhole(items, name, tried.taken) : tried.outcomes;
    });
  }

  private async addPart(items: readonly AddItem[], key: string, part: KeyPart): Promise<AddOutcome[]> {
    const known = this.shared.get(key);
    if (known !== undefined && this.isNew(known, part)) return this.addNew(items, known, part);
    // Not awaited in there: those that wait for the key to be stored need not wait for each other.
    const { outcomes } = await this.adding.alone(key, async () => {
      const now = this.shared.get(key);
      if (now !== undefined && this.isNew(now, part)) return { outcomes: this.addNew(items, now, part) };
      if (now !== undefined) now.untried = Math.max(now.untried, part.first + items.length);
      await Promise.allSettled(now?.underWay ?? []);
      if (now === undefined || this.isOver(now)) return this.addFirst(items, key, part);
      return { outcomes: await this.replay(items, now.firstId + part.first) };
    });
    return outcomes;
  }

  private isOver({ expiresAt }: SharedKey): boolean {
    return expiresAt <= this.context.time.now();
  }

  private isNew(known: SharedKey, { first }: KeyPart): boolean {
    return first >= known.untried && !this.isOver(known);
  }

  /** Jobs that nobody has asked for before: their ids are free. */
  private addNew(items: readonly AddItem[], known: SharedKey, { first }: KeyPart): Promise<AddOutcome[]> {
    const { units } = this.parts;
    known.untried = first + items.length;
    const outcomes = units.storeRest(units.cut(items, known.firstId + first));
    track(known, outcomes);
    return outcomes;
  }

  /** Of a key that this mastership does not know. Resolves when its row is there: all else can go beside what follows. */
  private async addFirst(
    items: readonly AddItem[],
    key: string,
    part: KeyPart,
  ): Promise<{ readonly outcomes: AddOutcome[] | Promise<AddOutcome[]> }> {
    const block = this.shared.takeBlock(key);
    const tried = await this.tryKey(items, key, { part, lifeMs: SHARED_KEY_LIFE_MS, block });
    const remember = (firstId: number, forMs: number, untried: number, outcomes: Promise<AddOutcome[]>) => {
      const expiresAt = this.context.time.now() + forMs;
      this.shared.remember(key, { firstId, expiresAt, untried }, outcomes);
      return { outcomes };
    };
    switch (tried.kind) {
      case "stored": {
        const { firstId, call } = tried;
        const outcomes = this.parts.units.storeRest(call);
        return remember(firstId, STORED_KEY_MS, part.first + items.length, outcomes);
      }
      case "found": {
        const { jobId: firstId } = tried.taken;
        // Others may have asked for all of it.
        return remember(firstId, FOUND_KEY_MS, part.jobs, this.replay(items, firstId + part.first));
      }
      case "unused":
        this.shared.keepBlock(key, tried.firstId);
        return tried;
      case "failed":
        return tried;
    }
  }

  /**
   * `block`: one that is the key's, though nothing of it was ever stored. Without a `digest` nothing is compared when the
   * call is made again.
   */
  private async tryKey(
    items: readonly AddItem[],
    key: string,
    options: {
      readonly part: KeyPart;
      readonly digest?: Uint8Array;
      readonly lifeMs: number;
      readonly block: number | undefined;
    },
  ): Promise<Tried> {
    const { ids, keys, units } = this.parts;
    const { part, digest, lifeMs } = options;
    let { block } = options;
    for (let tries = 0; ; tries++) {
      const firstId = block ?? (await ids.take(part.jobs));
      block = undefined;
      const expiresAt = this.context.time.now() + lifeMs;
      const row = { key, jobId: firstId, expiresAt, ...(digest && { digest }) };
      const { isKeyStored, ...call } = await units.storeFirst(units.cut(items, firstId + part.first), row);
      if (isKeyStored) return { kind: "stored", firstId, call };
      const { outcomes } = call;
      const failures = outcomes.filter((outcome) => outcome instanceof ElasticJobError);
      if (!failures.every((failure) => isRefusal(failure) || isTaken(failure))) {
        return { kind: "failed", outcomes };
      }
      const known = await keys.read(key);
      if (known !== undefined) return { kind: "found", taken: known };
      if (!failures.some(isTaken)) return { kind: "unused", firstId, outcomes };
      // Taken a moment ago, and free now: it had expired.
      if (tries >= MAX_TRIES) return { kind: "failed", outcomes };
    }
  }

  /** A call that has its key to itself, again, or another one under that key: what differs is refused. */
  private async replayWhole(items: readonly AddItem[], name: string, taken: TakenKey): Promise<AddOutcome[]> {
    const { jobId: firstId, digest } = taken;
    const first = decodeDigests(digest);
    if (first === null) return this.replay(items, firstId);
    if (first.length !== items.length) {
      // Beyond its block, the ids are other calls'.
      const refusal = otherNumberOfJobs(name, first.length, items.length, firstId);
      return items.map(() => refusal);
    }
    const added = await this.readAdded(items, firstId);
    const others = otherJobsOfCall(name, { first, now: await this.digest(items), firstId, added });
    return this.storeAround(new Map<number, AddOutcome>([...added, ...others]), items, firstId);
  }

  private digest(items: readonly AddItem[]): Promise<FieldDigests[]> {
    return digestInTurns(items, () => sleep(this.context.clock, 0));
  }

  /** The same call again: what it stored is answered from the rows; what it did not, is added now. */
  private async replay(items: readonly AddItem[], firstId: number): Promise<AddOutcome[]> {
    return this.storeAround(await this.readAdded(items, firstId), items, firstId);
  }

  /** `there`: the outcomes that are known, by the jobs' ids. */
  private async storeAround(
    there: ReadonlyMap<number, AddOutcome>,
    items: readonly AddItem[],
    firstId: number,
  ): Promise<AddOutcome[]> {
    const { units } = this.parts;
    const outcomes = await units.storeRest(units.cutAround(there, items, firstId));
    const isClear = (outcome: AddOutcome) =>
      !(outcome instanceof ElasticJobError) || outcome.code !== "internal";
    if (outcomes.every(isClear)) return outcomes;
    // A statement of an earlier try, of which nothing was known, has been carried out meanwhile.
    const now = await this.readAdded(items, firstId);
    return outcomes.map((outcome, index) =>
      isClear(outcome) ? outcome : (now.get(firstId + index) ?? outcome),
    );
  }

  private async readAdded(items: readonly AddItem[], firstId: number): Promise<Map<number, AddedJob>> {
    const { memory, keys } = this.parts;
    const ids = items.map((_, index) => firstId + index);
    const records = await this.context.store.readJobs(ids);
    const missing = ids.filter((id) => !records.has(id));
    const added = await readGone(keys, missing);
    for (const record of records.values()) {
      // Its write may have been given up as failed.
      if (memory.queues.get(record.id) === undefined) memory.place(record);
      added.set(record.id, { jobId: record.id, created: true, nextRunAt: dueAt(record) });
    }
    return added;
  }
}
