import type { HeldClaim } from "./held-claim.ts";

interface ClaimName {
  readonly jobId: number;
  readonly claim: number;
}

/** The claims that a node holds, each by its job and number. */
export class HeldClaims {
  /** Nearly always one a job: a second when the master has not acknowledged the end of the first. */
  private readonly byJob = new Map<number, HeldClaim[]>();

  get isEmpty(): boolean {
    return this.byJob.size === 0;
  }

  get({ jobId, claim }: ClaimName): HeldClaim | undefined {
    const ofJob = this.byJob.get(jobId);
    if (ofJob === undefined) return undefined;
    for (const held of ofJob) if (held.assignment.claim === claim) return held;
    return undefined;
  }

  add(held: HeldClaim): void {
    const { jobId } = held.assignment;
    const ofJob = this.byJob.get(jobId);
    if (ofJob === undefined) this.byJob.set(jobId, [held]);
    else ofJob.push(held);
  }

  delete({ jobId, claim }: ClaimName): void {
    const left = this.byJob.get(jobId)?.filter(({ assignment }) => assignment.claim !== claim) ?? [];
    if (left.length === 0) this.byJob.delete(jobId);
    else this.byJob.set(jobId, left);
  }

  *[Symbol.iterator](): Generator<HeldClaim> {
    for (const ofJob of this.byJob.values()) yield* ofJob;
  }
}
