/**
 * Accepts jobs. Each gets an id from a block, so that the identical insert can be repeated after an unknown outcome.
 * What has no key of its call is stored at once; for the others see `call-keys.ts`.
 */

import { sleep } from "../../core/clock.ts";
import type { ElasticJobError } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import type { MasterContext } from "../context.ts";
import type { AddItem, AddOutcome, KeyUse } from "../job-api.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import { CallKeys } from "./call-keys.ts";
import type { IdBlocks } from "./id-blocks.ts";
import type { JobInserter } from "./job-inserter.ts";
import { JobKeys } from "./job-keys.ts";
import { JobUnits } from "./job-units.ts";
import type { KeyReader } from "./key-reader.ts";

export class Intake {
  private readonly ids: IdBlocks;
  private readonly units: JobUnits;
  private readonly callKeys: CallKeys;
  private readonly jobKeys: JobKeys;

  constructor(
    context: MasterContext,
    parts: {
      memory: JobMemory;
      ids: IdBlocks;
      keys: KeyReader;
      inserter: JobInserter;
      /** Null when a job of this spec may be added, else why not. */
      refusal: (spec: JobSpec) => ElasticJobError | null;
    },
  ) {
    const { memory, ids, keys, inserter, refusal } = parts;
    this.jobKeys = new JobKeys(context, { keys, inserter });
    const { jobKeys } = this;
    this.ids = ids;
    this.units = new JobUnits({ jobKeys, inserter, refusal, turn: () => sleep(context.clock, 0) });
    this.callKeys = new CallKeys(context, { memory, ids, keys, units: this.units });
  }

  /** The job that has the key of its own; null: none has. */
  findKeyed(idempotencyKey: string): Promise<number | null> {
    return this.jobKeys.find(idempotencyKey);
  }

  async addJobs(
    items: readonly AddItem[],
    callKey: string | null,
    use: KeyUse = null,
  ): Promise<AddOutcome[]> {
    if (callKey !== null) return this.callKeys.add(items, callKey, use);
    return this.units.storeRest(this.units.cut(items, await this.ids.take(items.length)));
  }
}
