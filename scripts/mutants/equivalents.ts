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

const FENCE = "src/store/mysql/fence.ts";
const CLAIM_JOBS = "src/store/mysql/claim-jobs.ts";
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
  {
    file: "src/master/election/elector.ts",
    line: 'if (this.role.kind !== "master" || this.role.epoch !== epoch)',
    what: [
      'this.role.kind !== "master" || this.role.epoch !== epoch → false || this.role.epoch !== epoch',
      'this.role.kind !== "master" || this.role.epoch !== epoch → this.role.kind !== "master" || false',
    ],
    why: "No other role has an epoch, and between two masterships there is another role.",
  },
  {
    file: FENCE,
    line: 'const [row] = await session.read<{ epoch: number }>("SELECT epoch FROM cluster WHERE id = 1", []);',
    what: ["SQL: id = 1 → (id = 1 OR 1 = 1)"],
    why: "The first row of the table, by its key, is the same one.",
  },
  {
    file: FENCE,
    line: 'if (failureOf(error) === "null" && error instanceof Error && error.message.includes("epoch")) {',
    what: [
      'failureOf(error) === "null" && error instanceof Error → true && error instanceof Error',
      'failureOf(error) === "null" && error instanceof Error → failureOf(error) === "null" && true',
    ],
    why: "No other failure of an INSERT names the column, and all are errors, as the type checker cannot know.",
  },
  {
    file: CLAIM_JOBS,
    line: 'if (first === undefined) return { sql: "1 = 1", values: [] };',
    what: ["if (first === undefined) … → nothing"],
    why: "It is for the type checker: no chunk is empty.",
  },
  {
    file: CLAIM_JOBS,
    line: "if (claims.every((claim) => claim.claim === first.claim && claim.revision === first.revision)) {",
    what: [
      "if (claims.every((claim) => claim.claim === first.claim && claim.revision === first.revision)) … → nothing",
      "claim.claim === first.claim → claim.claim !== first.claim",
      "claim.revision === first.revision → claim.revision !== first.revision",
    ],
    why: "The other guard asks for the same, at a higher cost.",
  },
  {
    file: FENCE,
    line: "return `(SELECT epoch FROM cluster WHERE id = ${id} AND epoch = ? LOCK IN SHARE MODE)`;",
    what: ["SQL: LOCK IN SHARE MODE → nothing"],
    why: "MariaDB, which the tests run on as a rule, locks what an INSERT reads without being asked; MySQL does not.",
  },
];
