/**
 * Jobs that have ended a thread of this process, or may have: they run alone here, so that the next
 * time it is only themselves that they take down, and it is known who it was.
 */
const MAX_SUSPECTS = 10_000;
/** One that was only there when it happened is believed the first time. */
const ALONE_AFTER = 2;

export class Suspects {
  private readonly counts = new Map<number, number>();

  /** It was there when a thread ended, and it is not known whose fault that was. */
  suspect(jobId: number): void {
    this.set(jobId, (this.counts.get(jobId) ?? 0) + 1);
  }

  /** It ended a thread. */
  convict(jobId: number): void {
    this.set(jobId, ALONE_AFTER);
  }

  /** It has ended without harm. */
  clear(jobId: number): void {
    if (this.counts.size > 0) this.counts.delete(jobId);
  }

  runsAlone(jobId: number): boolean {
    return (this.counts.get(jobId) ?? 0) >= ALONE_AFTER;
  }

  private set(jobId: number, count: number): void {
    // Set anew, it is the youngest in the order in which the oldest are forgotten.
    this.counts.delete(jobId);
    this.counts.set(jobId, count);
    const [oldest] = this.counts.keys();
    if (this.counts.size > MAX_SUSPECTS && oldest !== undefined) this.counts.delete(oldest);
  }
}
