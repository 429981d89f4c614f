/**
 * Mutants that no test can tell from the original, and why. To name one that does not survive is an error:
 * so the list stays true.
 */
export interface Equivalent {
  readonly file: string;
  /** The line on which the mutated text begins, without what is around it. */
  readonly line: string;
  /** As they are listed. */
  readonly what: readonly string[];
  readonly why: string;
}

const MISFIRE = "src/core/state/misfire.ts";

const PULLER = "src/node/puller.ts";
const RESULT_WRITER = "src/node/result-writer.ts";

export const EQUIVALENTS: readonly Equivalent[] = [
  {
    file: MISFIRE,
    line: "const MOST_STEPS = 100;",
    what: ["100 → 3 * (100)", "100 → Math.ceil((100) / 3)"],
    why: "What is not looked at one by one is counted, to the same end.",
  },
  {
    file: MISFIRE,
    line: "for (let steps = 0; next !== null && next.at <= by && steps < MOST_STEPS; steps++) {",
    what: ["steps < MOST_STEPS → steps <= MOST_STEPS"],
    why: "What is not looked at one by one is counted, to the same end.",
  },
  {
    file: MISFIRE,
    line: "if (near.next === null || near.next.at > by) return near;",
    what: [
      "if (near.next === null || near.next.at > by) … → nothing",
      "near.next === null || near.next.at > by → near.next === null || false",
    ],
    why: "Where no more is due, counting on finds none, and ends at the same occurrence.",
  },
  {
    file: MISFIRE,
    line: 'if (schedule.kind !== "daily" || schedule.gap !== "skip") return null;',
    what: [
      'if (schedule.kind !== "daily" || schedule.gap !== "skip") … → nothing',
      'schedule.kind !== "daily" || schedule.gap !== "skip" → false || schedule.gap !== "skip"',
      'schedule.kind !== "daily" || schedule.gap !== "skip" → schedule.kind !== "daily" || false',
    ],
    why: "It saves a look: no other schedule has dropped occurrences.",
  },
  {
    file: MISFIRE,
    line: "const isLastMissed = now - run.lastAt > MISSED_AFTER_MS || (run.next !== null && run.next.at <= now);",
    what: [
      "now - run.lastAt > MISSED_AFTER_MS || (run.next !== null && run.next.at <= now) → now - run.lastAt > MISSED_AFTER_MS || false",
      "run.next.at <= now → run.next.at < now",
    ],
    why: "The next one is due only where looking ended early, after more steps of a second each than make the last one missed.",
  },
  {
    file: MISFIRE,
    line: "if (!isRecurring(schedule)) return from;",
    what: ["if (!isRecurring(schedule)) … → nothing"],
    why: "It is for the type checker: only recurring jobs come here.",
  },
  {
    file: PULLER,
    line: "while (!closed.signal.aborted && !this.stopping.signal.aborted) {",
    what: ["!closed.signal.aborted && !this.stopping.signal.aborted → !closed.signal.aborted && true"],
    why: "Whoever stops the node closes its stream, which ends the loop too.",
  },
  {
    file: "src/node/own-lease.ts",
    line: "return this.end !== null && this.clock.monotonic() < this.end;",
    what: [
      "this.end !== null && this.clock.monotonic() < this.end → true && this.clock.monotonic() < this.end",
    ],
    why: "It is for the type checker: no time is below null, which counts as 0.",
  },
  {
    file: RESULT_WRITER,
    line: "if (this.isFlushQueued) return;",
    what: ["if (this.isFlushQueued) … → nothing"],
    why: "It saves timers: a flush that finds nothing to write does nothing.",
  },
  {
    file: RESULT_WRITER,
    line: "if (this.writing === 0 && this.queue.length === 0 && this.deferred === 0) {",
    what: ["this.writing === 0 && this.queue.length === 0 → this.writing === 0 && true"],
    why: "Nothing is left in the queue there while nothing is written.",
  },
  {
    file: RESULT_WRITER,
    line: "if (batch.length === 1 && only !== undefined) return refused(only, error);",
    what: ["batch.length === 1 && only !== undefined → batch.length === 1 && true"],
    why: "It is for the type checker: a batch of one has a first.",
  },
];
