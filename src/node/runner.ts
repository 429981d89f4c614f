/**
 * The claims that this node holds: runs them, has their results written, and remembers them until
 * the master has acknowledged their end.
 */
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../core/clock.ts";
import type { ClusterTime } from "../core/cluster-time.ts";
import {
  type Assignment,
  type ClaimVerdict,
  type DoneClaim,
  DoneClaimSchema,
  HeldClaimSchema,
  HeldState,
  Verdict,
} from "../gen/elasticjob/v1/node_service_pb.ts";
import type { ExecutionEnd, Executors } from "./executors.ts";
import { claimKey, type HeldClaim, resultRow, stateAfter } from "./held-claim.ts";
import type { ResultWriter } from "./result-writer.ts";

/** How long a handler has to end after its claim was given up. Shorter than the margin of the lease. */
const ABORT_GRACE_MS = 500;

/** A job that was lost so often in a row gets a thread of its own. */
const ALONE_AFTER_LOSSES = 2;

const HELD_STATE = {
  running: HeldState.RUNNING,
  finished: HeldState.FINISHED,
  written: HeldState.WRITTEN,
} as const;

export interface RunnerParts {
  readonly executors: Executors;
  readonly writer: ResultWriter;
  readonly clock: Clock;
  readonly maxLost: number;
}

export class Runner {
  private readonly parts: RunnerParts;
  private readonly held = new Map<string, HeldClaim>();
  private readonly slotsFreed: (slots: number) => void;
  private readonly done: (claim: DoneClaim) => void;
  private running = 0;
  private idle: (() => void)[] = [];
  private forgotten: (() => void)[] = [];

  /** `slotsFreed` hears when a handler has ended; `done`, when its result is written. */
  constructor(
    parts: RunnerParts,
    on: { slotsFreed: (slots: number) => void; done: (claim: DoneClaim) => void },
  ) {
    this.parts = parts;
    this.slotsFreed = on.slotsFreed;
    this.done = on.done;
  }

  get usedSlots(): number {
    let slots = 0;
    for (const { state, assignment } of this.held.values())
      if (state === "running") slots += assignment.slots;
    return slots;
  }

  /** Every claim that this node holds, for its hello. */
  claims() {
    return [...this.held.values()].map(({ assignment: { jobId, claim }, state }) =>
      create(HeldClaimSchema, { jobId, claim, state: HELD_STATE[state] }),
    );
  }

  /** Runs a claim, unless it is known already. `refusal`: hand it back instead. */
  start(assignment: Assignment, nodeNumber: number, time: ClusterTime, refusal: string | null): void {
    const key = claimKey(assignment);
    if (this.held.has(key)) return;
    const startTime = time.now();
    const held: HeldClaim = {
      assignment,
      nodeNumber,
      startTime,
      state: "running",
      execution: null,
      handedBack: refusal,
    };
    this.held.set(key, held);
    this.running++;
    const ended = (end: ExecutionEnd) => this.ended(held, end, time.now());
    if (refusal !== null) return ended({ kind: "lost", reason: refusal, isBlameless: true });
    const { jobId, claim, attempt, name, handler, scheduledAt, timeoutMs } = assignment;
    held.execution = this.parts.executors.run(
      {
        jobId,
        claim,
        attempt,
        name,
        handler,
        payload: assignment.payload.length === 0 ? null : decoder.decode(assignment.payload),
        scheduledAt,
        timeoutMs: timeoutMs > 0 ? timeoutMs : null,
        deadline: timeoutMs > 0 ? startTime + timeoutMs : null,
        alone: assignment.lost >= ALONE_AFTER_LOSSES,
      },
      ended,
    );
  }

  /** The master's word on claims of ours. */
  judge(verdicts: readonly ClaimVerdict[]): void {
    for (const { jobId, claim, verdict } of verdicts) {
      const key = claimKey({ jobId, claim });
      const held = this.held.get(key);
      if (held === undefined) continue;
      if (verdict === Verdict.ABORT && held.state === "running") {
        held.handedBack = "the master has ended this claim";
        held.execution?.abort(held.handedBack, ABORT_GRACE_MS);
      } else if (verdict === Verdict.FORGET && held.state === "written") {
        this.forget(key);
      }
    }
  }

  /** The master has taken in the end of these claims. */
  acknowledged(claims: readonly DoneClaim[]): void {
    for (const claim of claims) this.forget(claimKey(claim));
  }

  /** Gives up everything that runs: aborts it, and records it as LOST. */
  handBack(reason: string): void {
    for (const held of this.held.values()) {
      if (held.state !== "running" || held.handedBack !== null) continue;
      held.handedBack = reason;
      held.execution?.abort(reason, ABORT_GRACE_MS);
    }
  }

  /** Resolves when no handler runs. */
  whenIdle(): Promise<void> {
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  /** Resolves when no claim is held. */
  whenForgotten(): Promise<void> {
    if (this.held.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.forgotten.push(resolve));
  }

  private forget(key: string): void {
    this.held.delete(key);
    if (this.held.size === 0) for (const resolve of this.forgotten.splice(0)) resolve();
  }

  private ended(held: HeldClaim, end: ExecutionEnd, endTime: number): void {
    held.state = "finished";
    held.execution = null;
    this.running--;
    const { assignment } = held;
    const row = resultRow(held, end, Math.max(endTime, held.startTime), this.parts.maxLost);
    const state = stateAfter(held, row);
    this.parts.writer.add({
      row,
      state,
      revision: assignment.revision,
      written: (projected) => {
        held.state = "written";
        const { jobId, claim } = assignment;
        this.done(create(DoneClaimSchema, { jobId, claim, projected, ...state }));
      },
    });
    this.slotsFreed(assignment.slots);
    if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve();
  }
}

const decoder = new TextDecoder();
