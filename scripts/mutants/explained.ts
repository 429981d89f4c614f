/** Mutants that no test can kill, or need not, and why. One that is not there any more, or is killed, is an error. */
export interface Explained {
  readonly file: string;
  /** The line, without indentation. */
  readonly text: string;
  readonly change: string;
  readonly why: string;
}

const MISFIRE = "src/core/state/misfire.ts";

export const EXPLAINED: readonly Explained[] = [
  ...["100 becomes 300", "100 becomes 33.333"].map((change) => ({
    file: MISFIRE,
    text: "const MOST_STEPS = 100;",
    change,
    why: "It only decides from where on occurrences are counted rather than walked; the outcome is the same.",
  })),
  {
    file: MISFIRE,
    text: "for (let steps = 0; next !== null && next.at <= by && steps < MOST_STEPS; steps++) {",
    change: "< becomes <=",
    why: "One step more before the rest is counted gives the same run.",
  },
  {
    file: MISFIRE,
    text: 'if (schedule.kind !== "daily" || schedule.gap !== "skip") return null;',
    change: "early return dropped",
    why: "Only such a schedule drops an occurrence; the return spares the others the look.",
  },
  {
    file: MISFIRE,
    text: "const isLastMissed = now - run.lastAt > MISSED_AFTER_MS || (run.next !== null && run.next.at <= now);",
    change: "<= becomes <",
    why: "A next one that is due by now is left only by a count that stopped after ten years, so then the last is missed by its age.",
  },
  {
    file: MISFIRE,
    text: "if (near.next === null || near.next.at > by) return near;",
    change: "early return dropped",
    why: "Where no more are due, to count on from here finds none; the return spares that.",
  },
  {
    file: MISFIRE,
    text: "if (!isRecurring(schedule)) return from;",
    change: "early return dropped",
    why: "Only recurring jobs come here; the line tells the compiler.",
  },
  {
    file: "src/master/memory/claim-holders.ts",
    text: "if (known === undefined || known < claim) claims.set(jobId, claim);",
    change: "< becomes <=",
    why: "To set the claim that is there already changes nothing.",
  },
];
