/**
 * What nodes say of the claims they hold: in their hello, which lists them all, and when one has its row. A claim that a
 * node should hold and does not list is LOST.
 */
import { doneClaimsOf } from "../../coordination/done-claim.ts";
import { STORED_STATUS, type StoredStatus } from "../../core/job.ts";
import type { Done, Hello } from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { ClaimRef } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import type { InFlight } from "../memory/in-flight.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import { judgeClaims } from "./judge-claims.ts";
import type { NodeSession } from "./node-session.ts";

const STORED_STATUSES = new Map<number, StoredStatus>(
  Object.values(STORED_STATUS).map((status) => [status, status]),
);

export interface NodeClaimsParts {
  readonly holders: ClaimHolders;
  readonly memory: JobMemory;
  readonly inFlight: InFlight;
  readonly endings: Endings;
}

export class NodeClaims {
  private readonly context: MasterContext;
  private readonly parts: NodeClaimsParts;

  constructor(context: MasterContext, parts: NodeClaimsParts) {
    this.context = context;
    this.parts = parts;
  }

  /**
   * Takes down what the node says it holds, before the database is asked: a page that finds one of them meanwhile must
   * not take it for lost, and if this stream ends too soon, the next one has to account for all of them. Returns what
   * the node should hold, as far as this master knew.
   */
  takeDown(session: NodeSession, { claims }: Hello): ClaimRef[] {
    const { holders } = this.parts;
    const expected = holders.claimsOf(session.number);
    for (const { jobId, claim } of claims) holders.give(session.number, jobId, claim);
    return expected;
  }

  /** Answers each claim that the node listed, and ends those that it should have and did not. */
  async answer(session: NodeSession, { claims }: Hello, expected: readonly ClaimRef[]): Promise<void> {
    const { holders, memory, endings } = this.parts;
    const { number } = session;
    const { verdicts, running, over } = await judgeClaims(this.context.store, number, claims);
    for (const record of running) {
      memory.run(record, false);
      holders.give(number, record.id, record.claim);
    }
    for (const { jobId, claim } of over) holders.drop(number, jobId, claim);
    endings.settle(over);
    if (verdicts.length > 0) session.verdicts(verdicts);
    const listed = new Map(claims.map(({ jobId, claim }) => [jobId, claim]));
    const missing = expected.filter(({ jobId, claim }) => listed.get(jobId) !== claim);
    for (const { jobId, claim } of missing) holders.drop(number, jobId, claim);
    endings.lose(missing, "its node no longer holds it");
  }

  /** Claims have their rows. Where the job's row says so too, memory follows without a look at the database. */
  done(session: NodeSession, done: Done): void {
    const { holders, memory, inFlight, endings } = this.parts;
    const toSettle: ClaimRef[] = [];
    for (const claim of doneClaimsOf(done)) {
      const { jobId } = claim;
      holders.drop(session.number, jobId, claim.claim);
      const job = memory.queues.get(jobId);
      const isOurs = job?.place === "running" && job.record.claim === claim.claim;
      const status = STORED_STATUSES.get(claim.status);
      if (isOurs && claim.projected && status !== undefined && !inFlight.has(jobId)) {
        // Most jobs run once, and there is nothing left to do for them.
        if (status !== STORED_STATUS.WAITING) {
          memory.remove(jobId);
          continue;
        }
        const { at, scheduledAt, attempt, failures, lost, endedAt } = claim;
        const updateTime = this.context.time.now();
        const state = { status, at, scheduledAt, attempt, failures, lost, endedAt, updateTime };
        memory.place({ ...job.record, ...state }, job.payloadLoaded);
      } else {
        toSettle.push({ jobId, claim: claim.claim });
      }
    }
    endings.settle(toSettle);
    session.acknowledge(done.sequence);
  }
}
