/**
 * How many slots' worth of jobs a node asks for beyond its slots, so that the next job is there when one
 * ends. It follows how long jobs take: a short queue for short jobs, none for slow ones, so that no job
 * waits at a busy node while another node is idle.
 */

/** The work that may wait at a node, in milliseconds. */
const QUEUED_WORK_MS = 50;
/** Jobs that take longer than this on average are not queued. */
const SLOW_MS = 250;
const MAX_QUEUED_SLOTS = 2000;
/** Weight of the newest job in the average. */
const NEWEST = 0.05;

export class Prefetch {
  private readonly slots: number;
  /** Slow until shown otherwise. */
  private averageMs = 10 * SLOW_MS;

  constructor(slots: number) {
    this.slots = slots;
  }

  /** A job has taken so long. */
  took(ms: number): void {
    // A job that is slow counts at once, quick ones only little by little.
    const weight = ms > this.averageMs ? 4 * NEWEST : NEWEST;
    this.averageMs += (ms - this.averageMs) * weight;
  }

  /** A job has waited in vain: those that run are slow, though none has ended that would say so. */
  stranded(): void {
    this.averageMs = Math.max(this.averageMs, 10 * SLOW_MS);
  }

  /** Slots to ask for beyond those that there are. */
  get queuedSlots(): number {
    if (this.averageMs > SLOW_MS) return 0;
    // One at least: a node of one slot would be idle between any two jobs, and lag behind its share.
    return Math.min(
      MAX_QUEUED_SLOTS,
      Math.ceil((this.slots * QUEUED_WORK_MS) / Math.max(0.1, this.averageMs)),
    );
  }
}
