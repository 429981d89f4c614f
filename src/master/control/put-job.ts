/**
 * Makes the job that a key names be as described, whether it is there or not. Who puts and who adds under one key meet at
 * the key's row, which the database grants to one of them; who then finds a job changes that one, guarded by its row as
 * it was read. So a put can be repeated, by any node and under any master: at the end one job is there, and as described.
 */
import { ElasticJobError, isError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import type { JobRecord } from "../../core/job.ts";
import type { AddedJob, AddItem, AddOutcome, JobDescription } from "../job-api.ts";

/** How often a key is looked at anew, whose job was added, or deleted, a moment ago. */
const MAX_TRIES = 5;

export type PutRecord =
  | { readonly kind: "created"; readonly added: AddedJob }
  | { readonly kind: "updated" | "unchanged"; readonly record: JobRecord };

export class JobPuts {
  private readonly parts: {
    /** The job that the key names; null: none. */
    readonly find: (key: string) => Promise<number | null>;
    /** `created: false` is the answer where the key was taken meanwhile. */
    readonly add: (item: AddItem) => Promise<AddOutcome>;
    readonly update: (jobId: number, change: JobDescription["changed"]) => Promise<JobRecord>;
  };
  private readonly putting = new OneAtATime<string>();

  constructor(parts: JobPuts["parts"]) {
    this.parts = parts;
  }

  put(described: JobDescription): Promise<PutRecord> {
    return this.putting.alone(described.key, async () => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const jobId = await this.parts.find(described.key);
        const done = jobId === null ? await this.create(described) : await this.change(jobId, described);
        if (done !== null) return done;
      }
      throw new ElasticJobError("unavailable", "the key's job keeps coming and going; try again");
    });
  }

  /** Null: another add has the key by now. */
  private async create(described: JobDescription): Promise<PutRecord | null> {
    const { spec, asked } = described.added();
    const outcome = await this.parts.add({ spec, asked: { ...asked, keyReuse: "any_body" } });
    if (outcome instanceof ElasticJobError) throw outcome;
    return outcome.created ? { kind: "created", added: outcome } : null;
  }

  /** Null: the job is gone by now. */
  private async change(jobId: number, described: JobDescription): Promise<PutRecord | null> {
    let isChanged = false;
    try {
      const record = await this.parts.update(jobId, (before) => {
        const after = described.changed(before);
        isChanged = after !== before;
        return after;
      });
      return { kind: isChanged ? "updated" : "unchanged", record };
    } catch (error) {
      if (isError(error, "not_found")) return null;
      throw error;
    }
  }
}
