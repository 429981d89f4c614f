import type { Silence } from "./silence.ts";

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

  constructor(who: string, monotonic: () => number) {
    this.who = who;
    this.monotonic = monotonic;
    this.answeredAt = monotonic();
  }

  answered(): void {
    this.answeredAt = this.monotonic();
    this.hasErred = false;
  }

  /** `isAnswer`: the server itself said that it cannot, as one that is read-only does; else nothing was heard of it. */
  failed(isAnswer: boolean): void {
    this.hasErred = isAnswer;
  }

  silence(): Silence {
    return {
      who: this.who,
      how: this.hasErred ? "errors" : "silent",
      ms: this.monotonic() - this.answeredAt,
    };
  }
}
