/**
 * Gives prepared jobs to nodes: place, claim, and only then send (G2). Nothing is claimed without
 * trust (G8). A claim that commits after its node's stream has ended is never sent, and is LOST at
 * once. A claim write that hits fewer rows than asked is read back, and each job goes where the
 * database says.
 */
import type { Assignment } from "../../coordination/assignment.ts";
import { isError } from "../../core/errors.ts";
import { type JobRecord, STORED_STATUS } from "../../core/job.ts";
import { Retried } from "../../core/log/retried.ts";
import { type Choice, choose } from "../../core/queues/placement.ts";
import { firstGroup, type PreparedGroup, type QueuedJob } from "../../core/queues/queues.ts";
import { decideDue } from "../../core/state/misfire.ts";
import { unknownZoneOf } from "../../core/state/unknown-zone.ts";
import type { Children } from "../adding/children.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import type { InFlight } from "../memory/in-flight.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import type { Pages } from "../memory/pages.ts";
import type { Turn } from "../memory/turn.ts";
import type { ConnectedNodes } from "../nodes/connected-nodes.ts";
import { assignmentOf, bySize } from "../nodes/make-assignment.ts";
import type { NodeSession } from "../nodes/node-session.ts";

/** Jobs placed in one go: bounds the time that placing takes. */
const MAX_PLACED = 500;
/** Claim statements at once: while they run, the next batch gathers. */
const MAX_CLAIMING = 2;

/** A node for the next jobs of a group. */
interface Chosen {
  readonly group: PreparedGroup;
  readonly choice: Choice<NodeSession>;
  left: number;
}

interface Placed {
  readonly job: QueuedJob;
  readonly placement: string;
}

export interface DispatcherParts {
  readonly memory: JobMemory;
  readonly inFlight: InFlight;
  readonly holders: ClaimHolders;
  readonly nodes: ConnectedNodes;
  readonly endings: Endings;
  readonly children: Children;
  readonly pages: Pages;
  readonly turn: Turn;
}

export class Dispatcher {
  private readonly context: MasterContext;
  private readonly parts: DispatcherParts;
  private readonly claims: Retried;
  private claiming = 0;

  constructor(context: MasterContext, parts: DispatcherParts) {
    this.context = context;
    this.claims = new Retried(context, "could not claim jobs; reading them back");
    this.parts = parts;
  }

  /** Places what can be placed now. */
  tick(): void {
    while (this.claiming < MAX_CLAIMING && this.context.trusted() && !this.context.ended.aborted) {
      const batches = this.place();
      if (batches.size === 0) return;
      for (const [session, placed] of batches) this.claim(session, placed);
    }
  }

  private place(): Map<NodeSession, Placed[]> {
    const now = this.context.time.now();
    const batches = new Map<NodeSession, Placed[]>();
    let groups = this.parts.memory.queues.preparedGroups();
    let chosen: Chosen | null = null;
    for (let count = 0; count < MAX_PLACED; count++) {
      const group = firstGroup(groups);
      const job = group?.jobs.first();
      if (group === undefined || job === undefined) break;
      if (this.parts.inFlight.has(job.record.id)) {
        this.postpone(job);
        continue;
      }
      chosen = this.nextNode(group, chosen);
      if (chosen === null) {
        // Jobs that ask the same can't be placed either.
        groups = groups.filter((other) => other !== group);
        continue;
      }
      this.parts.memory.queues.markBusy(job);
      // It may be here a little before its time.
      const decision = this.decide(job.record, Math.max(now, job.record.at));
      if (decision === null) continue;
      if (decision.kind === "spawn") {
        const { record } = job;
        this.parts.inFlight.mark([record.id], this.parts.children.spawn(record, decision.next));
        continue;
      }
      if (decision.kind === "skip") {
        this.parts.inFlight.mark([job.record.id], this.parts.children.skip(job.record, decision));
        continue;
      }
      const { node, placement } = chosen.choice;
      chosen.left--;
      node.reserve(group.slots);
      const batch = batches.get(node);
      if (batch) batch.push({ job, placement });
      else batches.set(node, [{ job, placement }]);
    }
    return batches;
  }

  /** Jobs in a row go to one node: they were added together, as a rule, so the database finds them together too. */
  private nextNode(group: PreparedGroup, last: Chosen | null): Chosen | null {
    if (last !== null && last.group === group && last.left > 0) return last;
    const choice = choose(this.parts.nodes.candidates(group.classId), group);
    return choice && { group, choice, left: choice.share };
  }

  /** Null: nobody here can tell what becomes of it, so it stays where it is, in nobody's way, until it is changed or another node is master. */
  private decide(record: JobRecord, now: number): ReturnType<typeof decideDue> | null {
    const { id: jobId, spec } = record;
    const { logger } = this.context;
    const zone = unknownZoneOf(spec);
    try {
      if (zone === null) return decideDue(record, now);
      logger.error({ jobId, name: spec.name }, `a job waits: ${zone}`);
    } catch (error) {
      // One job must not end this process, and each that is master after it.
      logger.error({ error, jobId, name: spec.name }, "a job that is due waits: it cannot be judged");
    }
    return null;
  }

  /** Its turn comes again after the write about it that is in flight: a caller's, as a rule. */
  private postpone(job: QueuedJob): void {
    const { queues } = this.parts.memory;
    const { record } = job;
    const { id } = record;
    queues.markBusy(job);
    void this.parts.inFlight.free(id).then(() => {
      // Unless that write has brought memory in line already.
      if (queues.get(id)?.record !== record) return;
      queues.wait(record, job.payloadLoaded);
      this.hasLeft();
    });
  }

  private claim(session: NodeSession, placed: readonly Placed[]): void {
    this.claiming++;
    const ids = placed.map(({ job }) => job.record.id);
    const written = this.writeClaims(session, placed).finally(() => {
      this.claiming--;
    });
    this.parts.inFlight.mark(ids, written);
    written
      .then(() => this.claims.succeeded())
      .catch((error: unknown) => {
        for (const { job } of placed) session.unreserve(job.record.spec.requirements.slots);
        if (isError(error, "stale_epoch")) return this.context.deposed();
        // Whether the claims are there is unknown: whatever the database says of each job, counts.
        this.claims.failed(error, { jobs: ids.length });
        this.parts.endings.lose(
          placed.map(({ job }) => ({ jobId: job.record.id, claim: job.record.claim + 1 })),
          "its claim was not confirmed",
        );
      })
      .then(() => this.hasLeft())
      .catch((error: unknown) => this.context.logger.error({ error }, "could not go on placing jobs"));
  }

  private async writeClaims(session: NodeSession, placed: readonly Placed[]): Promise<void> {
    const { store, epoch, time, random } = this.context;
    const now = time.now();
    const payloads = await this.missingPayloads(placed);
    const writes = placed
      .map(({ job }) => ({
        jobId: job.record.id,
        claim: job.record.claim + 1,
        revision: job.record.revision,
      }))
      .sort((a, b) => a.jobId - b.jobId);
    const claimed = await store.claimJobs(epoch, session.number, writes, now);
    const present = claimed === placed.length ? null : await store.readJobs(writes.map(({ jobId }) => jobId));
    const assignments: Assignment[] = [];
    const unsent: { jobId: number; claim: number }[] = [];
    for (const { job, placement } of placed) {
      const before = job.record;
      const after: JobRecord = {
        ...before,
        status: STORED_STATUS.RUNNING,
        claim: before.claim + 1,
        attempt: before.attempt + 1,
        node: session.number,
        updateTime: now,
        spec: payloads.has(before.id)
          ? { ...before.spec, payload: payloads.get(before.id) ?? null }
          : before.spec,
      };
      if (present !== null && !isClaim(present.get(before.id), after)) {
        session.unreserve(before.spec.requirements.slots);
        const record = present.get(before.id);
        if (record === undefined) this.parts.memory.remove(before.id);
        // By an earlier write of ours that was given up as failed.
        else if (record.status === STORED_STATUS.RUNNING) this.parts.holders.found(record);
        else this.parts.memory.place(record);
        continue;
      }
      if (!session.isOpen) {
        unsent.push({ jobId: after.id, claim: after.claim });
        continue;
      }
      this.parts.memory.run(after);
      this.parts.holders.give(session.number, after.id, after.claim);
      assignments.push(assignmentOf(after, placement, { random, now }));
    }
    for (const message of bySize(assignments)) session.assign(message);
    if (unsent.length > 0) this.parts.endings.lose(unsent, "its node left before it was sent");
  }

  /** Jobs have left the prepared queue: there is room for others. */
  private hasLeft(): void {
    this.parts.pages.kick();
    this.parts.turn.ask();
  }

  private async missingPayloads(placed: readonly Placed[]): Promise<Map<number, string | null>> {
    const missing = placed.filter(({ job }) => !job.payloadLoaded).map(({ job }) => job.record.id);
    if (missing.length === 0) return new Map();
    const records = await this.context.store.readJobs(missing);
    return new Map([...records].map(([id, record]) => [id, record.spec.payload]));
  }
}

function isClaim(record: JobRecord | undefined, claimed: JobRecord): boolean {
  return (
    record?.status === STORED_STATUS.RUNNING && record.claim === claimed.claim && record.node === claimed.node
  );
}
