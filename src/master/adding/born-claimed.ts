/**
 * Immediate jobs that can be placed at once are stored claimed already: one commit, not two. The claim is
 * committed before it is sent, as every claim (G2); if the node's stream is gone by then, it is never sent,
 * and is LOST at once.
 */
import type { Assignment } from "../../coordination/assignment.ts";
import { type JobRecord, STORED_STATUS } from "../../core/job.ts";
import { choose } from "../../core/queues/placement.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import type { ConnectedNodes } from "../nodes/connected-nodes.ts";
import { assignmentOf, bySize } from "../nodes/make-assignment.ts";
import type { NodeSession } from "../nodes/node-session.ts";

/** A job that is to be stored as claimed for a node. */
export interface Born {
  /** As it is stored: RUNNING. */
  readonly record: JobRecord;
  readonly session: NodeSession;
  readonly placement: string;
}

export interface BornClaimedParts {
  readonly memory: JobMemory;
  readonly nodes: ConnectedNodes;
  readonly holders: ClaimHolders;
  readonly endings: Endings;
}

export class BornClaimed {
  private readonly context: MasterContext;
  private readonly parts: BornClaimedParts;
  private readonly toSend = new Map<NodeSession, Assignment[]>();

  constructor(context: MasterContext, parts: BornClaimedParts) {
    this.context = context;
    this.parts = parts;
  }

  /** Places a job that is due now. Null: no node has room, or others are before it. */
  place(record: JobRecord): Born | null {
    const { queues } = this.parts.memory;
    if (record.at > this.context.time.now() || queues.counts().prepared > 0) return null;
    const choice = choose(this.parts.nodes.candidates(record.classId), record.spec.requirements);
    if (choice === null) return null;
    const { node: session, placement } = choice;
    session.reserve(record.spec.requirements.slots);
    // Already: a page that finds the row before we hear of the commit must not take it for lost.
    this.parts.holders.give(session.number, record.id, 1);
    const claimed = { ...record, status: STORED_STATUS.RUNNING, claim: 1, attempt: 1, node: session.number };
    return { record: claimed, session, placement };
  }

  /** It was not stored, or nobody knows. */
  giveUp({ session, record }: Born): void {
    session.unreserve(record.spec.requirements.slots);
    this.parts.holders.drop(session.number, record.id, record.claim);
  }

  /** It is committed. */
  send({ record, session, placement }: Born): void {
    const { id: jobId, claim } = record;
    if (!session.isOpen) {
      this.parts.memory.run(record);
      this.parts.endings.lose([{ jobId, claim }], "its node left before it was sent");
      return;
    }
    this.parts.memory.run(record);
    const { random, time } = this.context;
    const assignment = assignmentOf(record, placement, { random, now: time.now() });
    const batch = this.toSend.get(session);
    if (batch !== undefined) {
      batch.push(assignment);
      return;
    }
    // Jobs of one commit travel together.
    this.toSend.set(session, [assignment]);
    queueMicrotask(() => {
      const assignments = this.toSend.get(session) ?? [];
      this.toSend.delete(session);
      for (const message of bySize(assignments)) session.assign(message);
    });
  }
}
