/**
 * Which node holds which claim: the one place that says so, for connected nodes and for those that are waited for.
 * It is the ground of G2 and G7: a job goes to another node only when nobody holds its claim any more. So a claim
 * is given here *before* anything could ask for it: a node's own before its hello is judged by the database, a born
 * one before its commit, a placed one before it is sent.
 *
 * A claim is given to one node for ever, and its row names the node; so claims are kept by node, and to ask for the
 * holder of a row takes two look-ups.
 */
import type { JobRecord } from "../../core/job.ts";
import type { Queues } from "../../core/queues/queues.ts";
import type { ClaimRef } from "../../store/job-store.ts";

const NONE: ReadonlyMap<number, number> = new Map();

/** A RUNNING row that memory does not have so; `isHeld`: some node holds its claim all the same. */
export type UnknownClaim = (record: JobRecord, isHeld: boolean) => void;

export class ClaimHolders {
  private readonly queues: Queues;
  /** By node number: claim by job. */
  private readonly byNode = new Map<number, Map<number, number>>();
  private resolve: UnknownClaim = () => undefined;

  constructor(queues: Queues) {
    this.queues = queues;
  }

  /** `resolve` brings memory in line with a claim that was found, and finds out what becomes of one that nobody holds. */
  onUnknown(resolve: UnknownClaim): void {
    this.resolve = resolve;
  }

  /** A node holds this claim. An older claim of the job never takes the place of a newer one. */
  give(node: number, jobId: number, claim: number): void {
    let claims = this.byNode.get(node);
    if (claims === undefined) {
      claims = new Map();
      this.byNode.set(node, claims);
    }
    const known = claims.get(jobId);
    if (known === undefined || known < claim) claims.set(jobId, claim);
  }

  /** A node holds this claim no more; a newer one of the same job it keeps. */
  drop(node: number, jobId: number, claim: number): void {
    const claims = this.byNode.get(node);
    if (claims?.get(jobId) === claim) claims.delete(jobId);
  }

  /** A node holds nothing any more. Returns what it held. */
  dropAll(node: number): ClaimRef[] {
    const claims = this.claimsOf(node);
    this.byNode.delete(node);
    return claims;
  }

  /** What a node holds now: the claim by job. */
  of(node: number): ReadonlyMap<number, number> {
    return this.byNode.get(node) ?? NONE;
  }

  /** The same as a list, which later changes leave alone. */
  claimsOf(node: number): ClaimRef[] {
    return Array.from(this.of(node), ([jobId, claim]) => ({ jobId, claim }));
  }

  /** The number of the node that holds the claim of a job's row; null: nobody does. */
  holderOf({ id, claim, node }: JobRecord): number | null {
    return this.byNode.get(node)?.get(id) === claim ? node : null;
  }

  /** The database has this job as RUNNING. */
  found(record: JobRecord): void {
    const isHeld = this.holderOf(record) !== null;
    if (isHeld && this.queues.get(record.id)?.place === "running") return;
    this.resolve(record, isHeld);
  }
}
