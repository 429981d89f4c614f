/**
 * The jobs of a call, in units that are stored each as one: a job with a key of its own is a unit, others go together.
 * A unit that the database refuses is stored job by job, so that a bad one fails alone.
 */

import { ElasticJobError, isError } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import type { JobKey } from "../../store/job-store.ts";
import type { AddItem, AddOutcome } from "../job-api.ts";
import type { JobInserter } from "./job-inserter.ts";
import type { JobKeys, NewKeyedJob } from "./job-keys.ts";

/** Jobs of a unit, and their payloads together. A single one may exceed it. */
const MAX_UNIT_JOBS = 200;
/** The first unit carries the call's key, and all others wait for it. */
const MAX_FIRST_UNIT_JOBS = 100;
const MAX_UNIT_CHARACTERS = 1 << 20;
/** So many jobs of a call are made into rows, then the loop has a turn: renewals and pings must not wait for a whole call. */
const JOBS_A_TURN = 500;

interface Item extends NewKeyedJob {
  /** Its place in the call. */
  readonly index: number;
}

type Unit = readonly Item[];

/** How far a call has come. */
export interface Progress {
  /** Of the jobs that have one, at their places. */
  readonly outcomes: AddOutcome[];
  /** What is still to be stored. */
  readonly rest: readonly Unit[];
}

/** Whether an error says that the job itself is not acceptable. */
export function isRefusal({ code }: ElasticJobError): boolean {
  return code === "invalid_argument" || code === "failed_precondition" || code === "already_exists";
}

export class JobUnits {
  private readonly parts: {
    readonly jobKeys: JobKeys;
    readonly inserter: JobInserter;
    /** Null when a job of this spec may be added, else why not. */
    readonly refusal: (spec: JobSpec) => ElasticJobError | null;
    /** Resolves when all else has had its turn. */
    readonly turn: () => Promise<void>;
  };

  constructor(parts: JobUnits["parts"]) {
    this.parts = parts;
  }

  /** The first job gets `firstId`, the others those after it. */
  cut(items: readonly AddItem[], firstId: number): Progress {
    const outcomes: AddOutcome[] = [];
    const units: Item[][] = [];
    /** Of the last unit, if others may join it. */
    let open: Item[] | null = null;
    let characters = 0;
    for (const [index, item] of items.entries()) {
      const spec = this.accepted(item);
      if (spec instanceof ElasticJobError) {
        outcomes[index] = spec;
        continue;
      }
      const { asked } = item;
      const job = { index, spec, asked, id: firstId + index, addedFor: asked.parentId };
      const size = spec.payload?.length ?? 0;
      const isPlain = spec.idempotencyKey === null;
      if (
        isPlain &&
        open !== null &&
        open.length < (units.length === 1 ? MAX_FIRST_UNIT_JOBS : MAX_UNIT_JOBS) &&
        characters + size <= MAX_UNIT_CHARACTERS
      ) {
        open.push(job);
        characters += size;
        continue;
      }
      const unit = [job];
      units.push(unit);
      open = isPlain ? unit : null;
      characters = size;
    }
    return { outcomes, rest: units };
  }

  /** A call of which some outcomes are known: each of the others is a unit of its own, as it may be there by now. */
  cutAround(there: ReadonlyMap<number, AddOutcome>, items: readonly AddItem[], firstId: number): Progress {
    const outcomes: AddOutcome[] = [];
    const rest: Unit[] = [];
    for (const [index, item] of items.entries()) {
      const id = firstId + index;
      const known = there.get(id) ?? this.accepted(item);
      if (known instanceof ElasticJobError || "jobId" in known) outcomes[index] = known;
      else rest.push([{ index, spec: known, asked: item.asked, id, addedFor: item.asked.parentId }]);
    }
    return { outcomes, rest };
  }

  /**
   * Stores the key of a call with the first of its units that is not refused, before any other: if the call is
   * cut short after that, its repetition finds what is there.
   */
  async storeFirst(call: Progress, keyRow: JobKey): Promise<Progress & { readonly isKeyStored: boolean }> {
    const { outcomes, rest: units } = await this.answerKnown(call);
    for (const [count, unit] of units.entries()) {
      const isKeyStored = await this.store(unit, keyRow, outcomes);
      const rest = units.slice(count + 1);
      if (isKeyStored) return { outcomes, rest, isKeyStored };
      // Unless the jobs were refused, the key is taken or it is not known whether it is there:
      // nothing more may be stored that a repetition of the call could not find.
      const blocking = unit
        .map(({ index }) => outcomes[index])
        .find((outcome) => outcome instanceof ElasticJobError && !isRefusal(outcome));
      if (blocking === undefined) continue;
      for (const { index } of rest.flat()) outcomes[index] = blocking;
      break;
    }
    return { outcomes, rest: [], isKeyStored: false };
  }

  /** Then all jobs have their outcomes. */
  async storeRest({ outcomes, rest }: Progress): Promise<AddOutcome[]> {
    const storing: Promise<boolean>[] = [];
    let jobs = 0;
    for (const unit of rest) {
      if (jobs >= JOBS_A_TURN) {
        jobs = 0;
        await this.parts.turn();
      }
      jobs += unit.length;
      const stored = this.store(unit, null, outcomes);
      // It may fail while others are still to be begun; it is told when all have ended.
      stored.catch(() => {});
      storing.push(stored);
    }
    await Promise.all(storing);
    return outcomes;
  }

  private accepted({ spec }: AddItem): JobSpec | ElasticJobError {
    return spec instanceof ElasticJobError ? spec : (this.parts.refusal(spec) ?? spec);
  }

  /** Those whose own keys name a job are answered, all with one question. */
  private async answerKnown({ outcomes, rest }: Progress): Promise<Progress> {
    const keyed = rest.flat().filter(({ spec }) => spec.idempotencyKey !== null);
    // A lone one asks for itself.
    if (keyed.length < 2) return { outcomes, rest };
    const found = await this.parts.jobKeys.findKnown(keyed);
    for (const item of keyed) {
      const added = found.get(item);
      if (added !== undefined) outcomes[item.index] = added;
    }
    return { outcomes, rest: rest.filter(([first]) => first !== undefined && !found.has(first)) };
  }

  /** Gives each job of the unit its outcome. Returns whether the call's key is stored, if one is given. */
  private async store(unit: Unit, keyRow: JobKey | null, outcomes: AddOutcome[]): Promise<boolean> {
    const [first] = unit;
    if (unit.length === 1 && first !== undefined) return this.storeOne(first, keyRow, outcomes);
    try {
      const added = await this.parts.inserter.insert(unit, keyRow === null ? [] : [keyRow]);
      for (const [i, { index }] of unit.entries()) outcomes[index] = at(added, i);
      return keyRow !== null;
    } catch (error) {
      if (!(error instanceof ElasticJobError)) throw error;
      if (!isError(error, "invalid_argument")) {
        for (const { index } of unit) outcomes[index] = error;
        return false;
      }
    }
    let isKeyStored = false;
    for (const item of unit) {
      isKeyStored = (await this.storeOne(item, isKeyStored ? null : keyRow, outcomes)) || isKeyStored;
    }
    return isKeyStored;
  }

  private async storeOne(item: Item, keyRow: JobKey | null, outcomes: AddOutcome[]): Promise<boolean> {
    const { idempotencyKey } = item.spec;
    try {
      if (idempotencyKey !== null) {
        const { added, isStored } = await this.parts.jobKeys.add(item, idempotencyKey, keyRow);
        outcomes[item.index] = added;
        return isStored && keyRow !== null;
      }
      outcomes[item.index] = at(await this.parts.inserter.insert([item], keyRow === null ? [] : [keyRow]), 0);
      return keyRow !== null;
    } catch (error) {
      if (!(error instanceof ElasticJobError)) throw error;
      outcomes[item.index] = error;
      return false;
    }
  }
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error("an outcome is missing");
  return item;
}
