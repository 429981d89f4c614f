/**
 * What a node tells its master: the claims whose rows are written, and what it could take now. All that
 * comes up in one turn of the event loop goes in one message of each kind.
 */
import type { DoneClaim } from "../coordination/done-claim.ts";
import type { Clock } from "../core/clock.ts";
import type { MasterConnection } from "./master-connection.ts";
import type { Load, Resources } from "./resources.ts";
import type { ResultWriter } from "./result-writer.ts";

/** How often a node's load is measured, and told if nothing else is. */
export const LOAD_EVERY_MS = 1000;
/** With so many results unwritten (the database is out of reach) no more jobs are asked for. */
const MAX_BACKLOG = 10_000;

/** How the node stands at the moment. */
export interface NodeStanding {
  /** Null: there is none. */
  connection(): MasterConnection | null;
  /** Slots of claims that wait at this node. */
  queuedSlots(): number;
  isDraining(): boolean;
}

export class NodeReport {
  private readonly parts: {
    readonly clock: Clock;
    readonly resources: Resources;
    readonly writer: ResultWriter;
  };
  private readonly standing: NodeStanding;
  private doneClaims: DoneClaim[] = [];
  private isQueued = false;
  private load: Load = { cpu: 0, eventLoopDelayMs: 0, freeMemoryMb: 0 };
  private loadMeasuredAt = Number.NEGATIVE_INFINITY;

  constructor(parts: NodeReport["parts"], standing: NodeStanding) {
    this.parts = parts;
    this.standing = standing;
  }

  done(claim: DoneClaim): void {
    this.doneClaims.push(claim);
    this.queue();
  }

  /** A hello lists what was told before and not acknowledged, and what was not told yet. */
  helloSaid(): void {
    this.doneClaims = [];
  }

  /** Something has changed: tells it soon. */
  queue(): void {
    if (this.isQueued) return;
    this.isQueued = true;
    this.parts.clock.after(0, () => {
      this.isQueued = false;
      this.tell();
    });
  }

  private tell(): void {
    const connection = this.standing.connection();
    if (connection === null || connection.nodeNumber === 0) return;
    connection.done(this.doneClaims);
    this.doneClaims = [];
    const isFull = this.parts.writer.backlog > MAX_BACKLOG;
    const queueSlots = this.standing.queuedSlots();
    connection.credit({
      slots: isFull ? 0 : connection.offeredSlots + queueSlots,
      queueSlots,
      draining: this.standing.isDraining(),
      ...this.lastLoad(),
    });
  }

  private lastLoad(): Load {
    const now = this.parts.clock.monotonic();
    if (now - this.loadMeasuredAt >= LOAD_EVERY_MS) {
      this.load = this.parts.resources.measure();
      this.loadMeasuredAt = now;
    }
    return this.load;
  }
}
