/**
 * Accepts jobs. Each gets an id from a block, so that the identical insert can be repeated after an
 * unknown outcome. A job's own key names the job for as long as it is kept; for keys of calls see `keyed-calls.ts`.
 */

import { ElasticJobError, isError } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import type { MasterContext } from "../context.ts";
import type { AddItem, KeyPart } from "../job-api.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import { type Added, isRefusal, KeyedCalls } from "./call-keys.ts";
import type { IdBlocks } from "./id-blocks.ts";
import type { CallKey, JobAdder, NewJob } from "./job-keys.ts";

/** Jobs of a call that are stored as one unit, and their payloads together. A single one may exceed it. */
const MAX_UNIT_JOBS = 200;
const MAX_UNIT_CHARACTERS = 1 << 20;
/** Units that are multiples of it make statements of prepared sizes, however many go together. */
const EVEN_JOBS = 100;

interface Item extends NewJob {
  /** In the call. */
  readonly index: number;
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error("an outcome is missing");
  return item;
}

export class Intake {
  private readonly adder: JobAdder;
  private readonly ids: IdBlocks;
  private readonly keyedCalls: KeyedCalls;
  /** Null when a job of this spec may be added, else why not. */
  private readonly refusal: (spec: JobSpec) => ElasticJobError | null;

  constructor(
    context: MasterContext,
    parts: {
      memory: JobMemory;
      adder: JobAdder;
      ids: IdBlocks;
      refusal: (spec: JobSpec) => ElasticJobError | null;
    },
  ) {
    this.adder = parts.adder;
    this.ids = parts.ids;
    this.refusal = parts.refusal;
    const adding = {
      all: (items: readonly AddItem[], firstId: number, callKey: CallKey | null) =>
        this.addAll(items, firstId, callKey),
      one: (job: NewJob, callKey: CallKey | null) => this.addOne(job, callKey),
    };
    this.keyedCalls = new KeyedCalls(context, { ...parts, adding });
  }

  /** `part`: of what is added under the key; null: it is this call's alone. */
  async addJobs(
    items: readonly AddItem[],
    callKey: string | null,
    part: KeyPart | null = null,
  ): Promise<Added[]> {
    if (callKey !== null) return this.keyedCalls.add(items, callKey, part);
    return this.addAll(items, await this.ids.take(items.length), null);
  }

  private async addAll(call: readonly AddItem[], firstId: number, callKey: CallKey | null): Promise<Added[]> {
    const outcomes: Added[] = [];
    const units: Item[][] = [];
    let characters = 0;
    // What carries the key is sent as text, of any size, so the odd ones go there.
    const firstUnitJobs = callKey === null ? MAX_UNIT_JOBS : call.length % EVEN_JOBS || EVEN_JOBS;
    for (const [index, item] of call.entries()) {
      const spec = item instanceof ElasticJobError ? item : (this.refusal(item) ?? item);
      if (spec instanceof ElasticJobError) {
        outcomes[index] = spec;
        continue;
      }
      const unit = units.at(-1);
      const isPlain = spec.idempotencyKey === null;
      const most = units.length > 1 ? MAX_UNIT_JOBS : firstUnitJobs;
      const size = spec.payload?.length ?? 0;
      const fits = unit !== undefined && unit.length < most && characters + size <= MAX_UNIT_CHARACTERS;
      if (fits && isPlain && unit[0]?.spec.idempotencyKey === null) {
        unit.push({ index, spec, id: firstId + index });
        characters += size;
      } else {
        units.push([{ index, spec, id: firstId + index }]);
        characters = size;
      }
    }
    const rest =
      callKey === null ? units : await this.storeKey(await this.unknown(units, outcomes), callKey, outcomes);
    await Promise.all(rest.map((unit) => this.storeMany(unit, null, outcomes)));
    return outcomes;
  }

  /** The units that have to be stored: those whose keys name a job are answered, all with one question. */
  private async unknown(units: readonly Item[][], outcomes: Added[]): Promise<Item[][]> {
    const keyed = units.flat().filter(({ spec }) => spec.idempotencyKey !== null);
    // A lone one asks for itself.
    if (keyed.length < 2) return [...units];
    const found = await this.adder.findKnown(keyed);
    for (const item of keyed) {
      const added = found.get(item);
      if (added !== undefined) outcomes[item.index] = added;
    }
    return units.filter(([first]) => first !== undefined && !found.has(first));
  }

  /**
   * Stores the key of a call with the first of its jobs that is not refused, before any other: if the call is
   * cut short after that, its repetition finds what is there. Returns the units that are left to store.
   */
  private async storeKey(units: readonly Item[][], key: CallKey, outcomes: Added[]): Promise<Item[][]> {
    for (const [count, unit] of units.entries()) {
      await this.storeMany(unit, key, outcomes);
      const left = units.slice(count + 1);
      if (key.isStored) return left;
      // Unless the jobs were refused, the key is taken or it is not known whether it is there:
      // nothing more may be stored that a repetition of the call could not find.
      const blocking = unit
        .map(({ index }) => outcomes[index])
        .find((outcome) => outcome instanceof ElasticJobError && !isRefusal(outcome));
      if (blocking === undefined) continue;
      for (const { index } of left.flat()) outcomes[index] = blocking;
      return [];
    }
    return [];
  }

  /** A unit of jobs, with the call's key if that is to go in with them; if the database refuses it, each on its own. */
  private async storeMany(unit: readonly Item[], key: CallKey | null, outcomes: Added[]): Promise<void> {
    const [first] = unit;
    if (first?.spec.idempotencyKey === null) {
      try {
        const added = await this.adder.addUnit(unit, key);
        for (const [i, { index }] of unit.entries()) outcomes[index] = at(added, i);
        return;
      } catch (error) {
        if (!(error instanceof ElasticJobError)) throw error;
        if (unit.length === 1 || !isError(error, "invalid_argument")) {
          for (const { index } of unit) outcomes[index] = error;
          return;
        }
      }
    }
    for (const item of unit) outcomes[item.index] = await this.addOne(item, key);
  }

  private async addOne(job: NewJob, callKey: CallKey | null): Promise<Added> {
    const refused = this.refusal(job.spec);
    if (refused !== null) return refused;
    try {
      return await this.adder.add(job, callKey);
    } catch (error) {
      if (error instanceof ElasticJobError) return error;
      throw error;
    }
  }
}
