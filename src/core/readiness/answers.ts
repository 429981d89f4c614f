import type { Silence } from "./silence.ts";

/** What is refused is asked for again sooner; what nobody asks for any more may be allowed by now. */
const REFUSAL_COUNTS_MS = 30_000;

interface Refusal {
  readonly why: string;
  readonly since: number;
  readonly at: number;
}

/**
 * When a server has last done what it was asked. Unanswered time is counted, not errors: one that is frozen refuses
 * nothing, and what it is asked fails only much later.
 */
export class Answers {
  private readonly who: string;
  private readonly monotonic: () => number;
  /** Monotonic. Before the first answer: since when one is waited for. */
  private answeredAt: number;
  private hasErred = false;
  /** Its words, of the last error. */
  private said: string | null = null;
  /** By what was asked: what the server did not let this process do, and has not since. */
  private readonly refusals = new Map<string, Refusal>();

  constructor(who: string, monotonic: () => number) {
    this.who = who;
    this.monotonic = monotonic;
    this.answeredAt = monotonic();
  }

  answered(): void {
    this.answeredAt = this.monotonic();
    this.hasErred = false;
    this.said = null;
  }

  /**
   * `isAnswer`: the server itself said that it cannot, as one that is read-only does; else nothing was heard of it. `why`: its words,
   * and what is to be done, where people may read them.
   */
  failed(isAnswer: boolean, why: string | null = null): void {
    this.hasErred = isAnswer;
    this.said = why;
  }

  /** It does not let this process do that. `why`: its words, and what is to be done. */
  refused(what: string, why: string): void {
    const now = this.monotonic();
    this.refusals.set(what, { why, since: this.refusals.get(what)?.since ?? now, at: now });
  }

  granted(what: string): void {
    this.refusals.delete(what);
  }

  silence(): Silence {
    const now = this.monotonic();
    for (const [what, { at }] of this.refusals) {
      if (now - at >= REFUSAL_COUNTS_MS) this.refusals.delete(what);
    }
    // What it does allow says nothing: it may be asked for something else in between.
    const [refusal] = this.refusals.values();
    if (refusal !== undefined) {
      return { who: this.who, how: "refused", ms: now - refusal.since, why: refusal.why };
    }
    return {
      who: this.who,
      how: this.hasErred ? "errors" : "silent",
      ms: now - this.answeredAt,
      ...(this.said !== null && { why: this.said }),
    };
  }
}
