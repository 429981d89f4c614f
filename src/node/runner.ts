/**
 * The claims that this node holds: runs them, has their results written, and remembers them until
 * the master has acknowledged their end.
 */
import { create } from "@bufbuild/protobuf";
import type { Assignment } from "../coordination/assignment.ts";
import type { DoneClaim } from "../coordination/done-claim.ts";
import type { Clock } from "../core/clock.ts";
import type { ClusterTime } from "../core/cluster-time.ts";
import type { EndLog } from "../core/log/end-log.ts";
import type { ClaimProgress } from "../core/log/progress.ts";
import {
  type ClaimVerdict,
  HeldClaimSchema,
  HeldState,
  Verdict,
} from "../gen/elasticjob/v1/node_service_pb.ts";
import { EarlyClaims } from "./early-claims.ts";
import type { ExecutionEnd, Executors } from "./executors.ts";
import { claimEnd, doneClaim, executionOf, type HeldClaim } from "./held-claim.ts";
import { HeldClaims } from "./held-claims.ts";
import type { JobLogs } from "./log/job-logs.ts";
import { Prefetch } from "./prefetch.ts";
import type { EndedClaim, ResultWriter } from "./result-writer.ts";
import { SlotQueue } from "./slot-queue.ts";

/** How long a handler has to end after its claim was given up. Shorter than the margin of the lease. */
const ABORT_GRACE_MS = 500;

const HELD_STATE = {
  running: HeldState.RUNNING,
  finished: HeldState.FINISHED,
  written: HeldState.WRITTEN,
} as const;

export interface RunnerParts {
  readonly executors: Executors;
  readonly writer: ResultWriter;
  readonly logs: JobLogs;
  readonly clock: Clock;
  readonly slots: number;
  readonly maxLost: number;
  /** This node's name. */
  readonly nodeId: string;
  /** Hears of every end that counts. */
  readonly ends: EndLog;
}

/** The mastership that gives claims to this node. */
export interface Giver {
  readonly epoch: number;
  /** The number that stands for this incarnation. */
  readonly nodeNumber: number;
  readonly time: ClusterTime;
}

export interface RunnerEvents {
  /** A handler has ended. */
  slotsFreed(slots: number): void;
  /** A claim's result is written. */
  done(claim: DoneClaim): void;
  /** A handler says how far it is. */
  progressed(progress: ClaimProgress): void;
  /** Why no handler may begin now; null: it may. */
  whyNotRun(): string | null;
}

export class Runner {
  private readonly parts: RunnerParts;
  private readonly held = new HeldClaims();
  private readonly on: RunnerEvents;
  private readonly slots: SlotQueue;
  private readonly early: EarlyClaims;
  private readonly prefetch: Prefetch;
  /** Claims whose results the writer does not have yet. */
  private unended = 0;
  private idle: (() => void)[] = [];
  private forgotten: (() => void)[] = [];

  constructor(parts: RunnerParts, on: RunnerEvents) {
    this.parts = parts;
    this.on = on;
    this.prefetch = new Prefetch(parts.slots);
    this.slots = new SlotQueue(parts.slots, (held) => this.execute(held));
    this.early = new EarlyClaims(parts.clock, (held) => this.isDue(held));
  }

  /** Slots of all claims that have not ended, running or waiting here. */
  get usedSlots(): number {
    let slots = 0;
    for (const { state, assignment } of this.held) {
      if (state === "running") slots += assignment.slots;
    }
    return slots;
  }

  /** Slots to ask for beyond those that there are. */
  get queuedSlots(): number {
    return this.prefetch.queuedSlots;
  }

  /** Every claim that this node holds, for its hello. */
  claims() {
    return [...this.held].map(({ assignment: { jobId, claim }, state }) =>
      create(HeldClaimSchema, { jobId, claim, state: HELD_STATE[state] }),
    );
  }

  /** Takes in a claim, unless it is known already, and runs it when slots are free. `refusal`: hand it back instead. */
  start(assignment: Assignment, { epoch, nodeNumber, time }: Giver, refusal: string | null): void {
    if (this.held.get(assignment) !== undefined) return;
    const held: HeldClaim = {
      assignment,
      nodeNumber,
      epoch,
      time,
      arrivedAt: this.parts.clock.monotonic(),
      startTime: time.now(),
      state: "running",
      execution: null,
      handedBack: refusal,
      log: null,
      progress: null,
    };
    this.held.add(held);
    this.unended++;
    if (refusal !== null) this.ended(held, { kind: "lost", reason: refusal, isBlameless: true });
    else if (assignment.startAt > time.now()) this.early.add(held);
    else this.slots.add(held);
  }

  /** Its time has come. */
  private isDue(held: HeldClaim): void {
    // A process that was stopped wakes to this timer before it sees that its lease has lapsed.
    const refusal = this.on.whyNotRun();
    if (refusal !== null) {
      held.handedBack = refusal;
      return this.ended(held, { kind: "lost", reason: refusal, isBlameless: true });
    }
    held.arrivedAt = this.parts.clock.monotonic();
    this.slots.add(held);
  }

  /** Claims that have waited here longer than this for a slot go back, to be given to others. */
  returnStranded(ms: number): void {
    const { first } = this.slots;
    if (first === undefined || this.parts.clock.monotonic() - first.arrivedAt < ms) return;
    this.prefetch.stranded();
    this.returnQueued("it waited too long for a slot");
  }

  /** Hands back what has not begun. */
  returnQueued(reason: string): void {
    const unbegun = [...this.early.takeAll(), ...this.slots.takeAll()];
    for (const held of unbegun) {
      held.handedBack = reason;
      this.ended(held, { kind: "lost", reason, isBlameless: true });
    }
  }

  private execute(held: HeldClaim): void {
    const startedAt = this.parts.clock.monotonic();
    held.startTime = held.time.now();
    const { executors, logs, clock } = this.parts;
    const { jobId, claim } = held.assignment;
    held.execution = executors.run(
      executionOf(held),
      (end) => {
        this.slots.free(held);
        this.prefetch.took(clock.monotonic() - startedAt);
        this.ended(held, end);
        this.slots.next();
      },
      {
        said: (line) => {
          held.log ??= logs.open(held.assignment);
          held.log.take(line);
        },
        progressed: (progress) => {
          held.progress = progress;
          this.on.progressed({ jobId, claim, ...progress });
        },
      },
    );
  }

  /** How far each handler that runs is, for a master that does not know it. */
  allProgress(): ClaimProgress[] {
    const all: ClaimProgress[] = [];
    for (const { state, assignment, progress } of this.held) {
      if (state !== "running" || progress === null) continue;
      all.push({ jobId: assignment.jobId, claim: assignment.claim, ...progress });
    }
    return all;
  }

  /** The master's word on claims of ours. */
  judge(verdicts: readonly ClaimVerdict[]): void {
    for (const { jobId, claim, verdict } of verdicts) {
      const held = this.held.get({ jobId, claim });
      if (held === undefined) continue;
      if (verdict === Verdict.ABORT && held.state === "running") {
        this.giveUp(held, "the master has ended this claim");
      } else if (verdict === Verdict.FORGET && held.state === "written") {
        this.forget(held.assignment);
      }
    }
  }

  /** The master has taken in the end of these claims. */
  acknowledged(claims: readonly DoneClaim[]): void {
    for (const claim of claims) this.forget(claim);
  }

  /** Gives up everything that runs: aborts it, and records it as LOST. */
  handBack(reason: string): void {
    this.returnQueued(reason);
    for (const held of this.held) {
      if (held.state === "running" && held.handedBack === null) this.giveUp(held, reason);
    }
  }

  private giveUp(held: HeldClaim, reason: string): void {
    held.handedBack = reason;
    if (!this.slots.delete(held) && !this.early.delete(held)) {
      held.execution?.abort(reason, ABORT_GRACE_MS);
      return;
    }
    this.ended(held, { kind: "lost", reason, isBlameless: true });
  }

  /** Resolves when no handler runs, and the writer has all results. */
  whenIdle(): Promise<void> {
    if (this.unended === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  /** Resolves when no claim is held. */
  whenForgotten(): Promise<void> {
    if (this.held.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.forgotten.push(resolve));
  }

  private forget(claim: { readonly jobId: number; readonly claim: number }): void {
    this.held.delete(claim);
    if (this.held.isEmpty) for (const resolve of this.forgotten.splice(0)) resolve();
  }

  private ended(held: HeldClaim, end: ExecutionEnd): void {
    held.state = "finished";
    held.execution = null;
    const { assignment, epoch } = held;
    const { writer, ends, nodeId: node, maxLost } = this.parts;
    const { name, handler, revision } = assignment;
    const endTime = Math.max(held.time.now(), held.startTime);
    const result: EndedClaim = {
      ...claimEnd(held, end, endTime, maxLost),
      revision,
      asFailed: (error) => claimEnd(held, { kind: "failed", error, isPermanent: true }, endTime, maxLost),
      becameFinal: ({ row, whyOver }) => ends.say({ row, whyOver, name, handler, node, epoch }),
      written: (projected, ended) => {
        held.state = "written";
        this.on.done(doneClaim(assignment, projected, ended));
      },
    };
    const record = () => {
      writer.add(result);
      if (--this.unended === 0) for (const resolve of this.idle.splice(0)) resolve();
    };
    // Its log first: who finds the result finds all of it.
    if (held.log === null) record();
    else void held.log.close().then(record);
    this.on.slotsFreed(assignment.slots);
  }
}
