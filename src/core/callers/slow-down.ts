/** Who sends wrong tokens waits longer and longer for the answer, so that they cannot be tried by the million. */

/** A person who has mistyped one notices nothing. */
const FREE_TRIES = 3;
const FIRST_MS = 50;
const LONGEST_MS = 2_000;
const FORGOTTEN_MS = 60_000;
/** Callers choose where they come from, to a degree. */
const MOST_CALLERS = 10_000;

export class SlowDown {
  private readonly wrong = new Map<string, { count: number; at: number }>();

  /** This caller has sent a wrong token: how long its answer is to wait. `now`: monotonic. */
  waitMs(caller: string, now: number): number {
    const known = this.wrong.get(caller);
    const count = known === undefined || now - known.at > FORGOTTEN_MS ? 1 : known.count + 1;
    // The newest are at the end.
    this.wrong.delete(caller);
    this.wrong.set(caller, { count, at: now });
    if (this.wrong.size > MOST_CALLERS) this.dropOldest();
    return count <= FREE_TRIES ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** (count - FREE_TRIES - 1));
  }

  private dropOldest(): void {
    const [oldest] = this.wrong.keys();
    if (oldest !== undefined) this.wrong.delete(oldest);
  }
}
