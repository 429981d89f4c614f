/**
 * How far running jobs are: the latest that their nodes have said, in memory only. The next master hears it anew, as nodes
 * repeat it to each. What belongs to a claim that nobody holds any more is not shown, and goes when room is made.
 */
import type { JobRecord } from "../../core/job.ts";
import type { ClaimProgress, Progress } from "../../core/log/progress.ts";
import type { ChangedJobs } from "./changed-jobs.ts";
import type { ClaimHolders } from "./claim-holders.ts";

/** Below so many, nothing is looked through for what is over. */
const FEW = 1_000;

interface Kept extends ClaimProgress {
  readonly node: number;
}

export class JobProgress {
  readonly #holders: ClaimHolders;
  readonly #changedJobs: ChangedJobs;
  readonly #latest = new Map<number, Kept>();
  /** Twice as many as there were when it was last looked through: so each costs a look or two, and memory follows what runs. */
  #most = FEW;

  constructor(parts: { readonly holders: ClaimHolders; readonly changedJobs: ChangedJobs }) {
    this.#holders = parts.holders;
    this.#changedJobs = parts.changedJobs;
  }

  /** How many are kept. */
  get size(): number {
    return this.#latest.size;
  }

  /** A node says it of claims that it holds; of others it is passed over. */
  take(node: number, all: readonly ClaimProgress[]): void {
    for (const progress of all) {
      const kept = { ...progress, node };
      if (!this.#isHeld(kept)) continue;
      this.#latest.set(progress.jobId, kept);
      this.#changedJobs.changed(progress.jobId);
    }
    if (this.#latest.size > this.#most) this.#forgetOver();
  }

  /** Null: the job does not run, or has said nothing under this claim. */
  of(record: JobRecord): Progress | null {
    const kept = this.#latest.get(record.id);
    const isOurs =
      kept !== undefined && kept.claim === record.claim && this.#holders.holderOf(record) === kept.node;
    return isOurs ? kept : null;
  }

  #isHeld({ node, jobId, claim }: Kept): boolean {
    return this.#holders.of(node).get(jobId) === claim;
  }

  #forgetOver(): void {
    for (const [jobId, kept] of this.#latest) if (!this.#isHeld(kept)) this.#latest.delete(jobId);
    this.#most = Math.max(FEW, 2 * this.#latest.size);
  }
}
