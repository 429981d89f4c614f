/** Mutants that no test can kill, or need not, and why. One that is not there any more, or is killed, is an error. */
export interface Explained {
  readonly file: string;
  /** The line, without indentation. */
  readonly text: string;
  readonly change: string;
  readonly why: string;
}

const FENCE = "src/store/mysql/fence.ts";
const CLAIM = "src/store/mysql/claim-jobs.ts";
const PROJECT = "src/store/mysql/project-jobs.ts";
const RESULTS = "src/store/mysql/write-results.ts";

/** Changes of one line that have one reason. */
function all(file: string, text: string, changes: readonly string[], why: string): Explained[] {
  return changes.map((change) => ({ file, text, change, why }));
}

const OTHER_STATEMENTS =
  "The rows are only divided among statements in another way; what is stored is the same.";

const MISFIRE = "src/core/state/misfire.ts";
const UNHEARD = "src/master/nodes/unheard-nodes.ts";

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
  ...all(
    MISFIRE,
    'if (schedule.kind !== "daily" || schedule.gap !== "skip") return null;',
    ["early return dropped", 'without schedule.kind !== "daily"', 'without schedule.gap !== "skip"'],
    "Only such a schedule drops an occurrence, and no other kind has a rule for gaps; the return spares the others the look.",
  ),
  ...all(
    MISFIRE,
    "const isLastMissed = now - run.lastAt > MISSED_AFTER_MS || (run.next !== null && run.next.at <= now);",
    ["<= becomes <", "without (run.next !== null && run.next.at <= now)"],
    "A next one that is due by now is left only by a count that stopped after ten years, so then the last is missed by its age.",
  ),
  ...all(
    MISFIRE,
    "if (near.next === null || near.next.at > by) return near;",
    ["early return dropped", "without near.next.at > by"],
    "Where no more are due, to count on from here finds none; the return spares that.",
  ),
  {
    file: MISFIRE,
    text: "if (!isRecurring(schedule)) return from;",
    change: "early return dropped",
    why: "Only recurring jobs come here; the line tells the compiler.",
  },
  {
    file: "src/master/nodes/node-sessions.ts",
    text: "const CHECK_MS = 100;",
    change: "100 becomes 33.333",
    why: "It only paces the look at who is silent; that it is looked often enough is held by a test.",
  },
  {
    file: "src/master/nodes/node-claims.ts",
    text: "if (status !== STORED_STATUS.WAITING) {",
    change: "early return dropped",
    why: "To place a job that has ended takes it out of memory too; the return spares making its record.",
  },
  {
    file: "src/master/nodes/absent-nodes.ts",
    text: "const isGone = settings.embedded || number === 0 || this.isKnownGone(number);",
    change: "without this.isKnownGone(number)",
    why: "The tick asks the same of each that is waited for, as it may come to be known later.",
  },
  ...all(
    "src/master/nodes/node-sessions.ts",
    "session.close();",
    ["call dropped"],
    "To depart closes it, too; the other one like it is held by a test.",
  ),
  ...all(
    "src/master/nodes/node-sessions.ts",
    'session.isReachable = typeof answer === "object" && answer.incarnation === session.incarnation;',
    ['without typeof answer === "object"'],
    "An answer that is a word has no incarnation; the operand tells the compiler.",
  ),
  {
    file: "src/master/nodes/node-claims.ts",
    text: "holders.give(number, record.id, record.claim);",
    change: "call dropped",
    why: "It was given as it was taken down, and nothing takes it away while the hello is answered.",
  },
  {
    file: "src/master/memory/claim-holders.ts",
    text: "if (known === undefined || known < claim) claims.set(jobId, claim);",
    change: "< becomes <=",
    why: "To set the claim that is there already changes nothing.",
  },
  ...all(
    FENCE,
    "return `(SELECT epoch FROM jobcluster WHERE id = ${id} AND epoch = ? LOCK IN SHARE MODE)`;",
    ["without its lock"],
    "MariaDB locks what an INSERT reads without being asked, and the tests run on it as a rule; MySQL needs it.",
  ),
  ...all(
    FENCE,
    'const [row] = await session.read<{ epoch: number }>("SELECT epoch FROM jobcluster WHERE id = 1", []);',
    ["whatever id = 1"],
    "The first row of the table, by its key, is that one.",
  ),
  ...all(
    FENCE,
    'if (failureOf(error) === "null" && error instanceof Error && error.message.includes("epoch")) {',
    ['without failureOf(error) === "null"', "without error instanceof Error"],
    "Of all that an INSERT throws only the refusal of that NULL names the column; what the driver throws is an Error.",
  ),
  ...all(
    CLAIM,
    'if (first === undefined) return { sql: "1 = 1", values: [] };',
    ["early return dropped"],
    "An empty batch has no part to guard; the line tells the compiler.",
  ),
  ...all(
    CLAIM,
    "if (claims.every((claim) => claim.claim === first.claim && claim.revision === first.revision)) {",
    ["early return dropped", "=== becomes !=="],
    "The guard by triples below says the same, and costs more.",
  ),
  ...all(PROJECT, "const OWN_STATEMENT_ROWS = 16;", ["16 becomes 48", "16 becomes 5.333"], OTHER_STATEMENTS),
  ...all(
    PROJECT,
    "if (hits === projections.length) return projections.map(() => true);",
    ["early return dropped"],
    "What was hit is read back as applied; the return spares the read.",
  ),
  ...all(
    PROJECT,
    "for (const read of readers) if (read(row, 0) !== values[index++]) return false;",
    ["!== becomes ==="],
    OTHER_STATEMENTS,
  ),
  ...all(
    PROJECT,
    "if (first === undefined || areAlike(rows, first)) return { alike: [rows], mixed: [] };",
    ["early return dropped", "without areAlike(rows, first)"],
    OTHER_STATEMENTS,
  ),
  ...all(
    PROJECT,
    "if (hits === 0 && epoch !== undefined) await checkEpoch(session, epoch);",
    ["without hits === 0"],
    "What was hit was hit in that epoch; the look is spared.",
  ),
  ...all(
    PROJECT,
    ".filter((same) => same.length < OWN_STATEMENT_ROWS)",
    ["< becomes <="],
    "Sixteen alike are then written twice, and stand as projected.",
  ),
  ...all(
    "src/store/mysql/change-job.ts",
    "`DELETE jobinfo, jobkey FROM jobinfo LEFT JOIN jobkey ON jobkey.k = ? AND jobkey.job_id = jobinfo.id",
    ["whatever jobkey.k = ?"],
    "All keys of a job that is gone are free: the others are removed when they are asked for.",
  ),
  ...all(
    PROJECT,
    '`SELECT id, ${COMPARED.join(", ")} FROM jobinfo WHERE id IN (${marks(ids.length)})`,',
    ["whatever id IN (${marks(ids.length)})"],
    "Other jobs are read, too, and looked at by nobody.",
  ),
  ...all(
    RESULTS,
    "if (results.every((result) => isSuccess(result, epoch))) {",
    ["early return dropped"],
    "The statement for any kind of row stores successes, too, and binds more.",
  ),
  ...all(
    RESULTS,
    "`SELECT ${SELECT_WRITER} FROM jobresult WHERE ${list.sql}`,",
    ["whatever ${list.sql}"],
    "Rows of other claims are read, too, and looked at by nobody.",
  ),
  ...all(
    RESULTS,
    "if (plain.length === pending.length || plain.length === 0) return [pending];",
    ["early return dropped", "without plain.length === pending.length", "without plain.length === 0"],
    "It spares the look at the claims: an empty part writes nothing.",
  ),
  ...all(
    RESULTS,
    "if (characters + more > STATEMENT_CHARACTERS && part.length > 0) {",
    ["> becomes >=", "without part.length > 0"],
    "An empty part writes nothing.",
  ),
  ...all(
    RESULTS,
    "if (part.length > 0) sized.push(part);",
    ["> becomes >="],
    "An empty part writes nothing.",
  ),
  ...all(
    "src/node/stream-to-master.ts",
    "const ENTER_RETRY_MS = 500;",
    ["500 becomes 166.667"],
    "It only paces the tries to enter the database.",
  ),
  ...all(
    "src/master/nodes/node-admission.ts",
    "const REFUSAL_MS = 1000;",
    ["1000 becomes 333.333"],
    "It is how long a refused node has to read why; the stream is of no use to it either way.",
  ),
  ...all(
    "src/master/nodes/node-admission.ts",
    "const MAX_REFUSED = 1000;",
    ["1000 becomes 3000", "1000 becomes 333.333"],
    "It bounds what is remembered of lines that were logged; more of them is the worst that follows.",
  ),
  ...all(
    "src/master/nodes/node-admission.ts",
    "if (this.refused.size >= MAX_REFUSED) this.refused.clear();",
    [">= becomes >", ">= becomes <", "call dropped"],
    "It bounds what is remembered of lines that were logged; more of them is the worst that follows.",
  ),
  ...all(
    "src/master/dispatch/dispatcher.ts",
    "if (group === undefined || job === undefined) break;",
    ["without group === undefined", "without job === undefined"],
    "The group that is first has a job; the line tells the compiler.",
  ),
  ...all(
    "src/node/own-lease.ts",
    "return this.end !== null && this.clock.monotonic() < this.end;",
    ["without this.end !== null"],
    "No time is less than null, as it counts as 0; the operand tells the compiler.",
  ),
  ...all(
    UNHEARD,
    "if (this.noted.has(number) || this.writes.has(number)) return;",
    ["without this.writes.has(number)"],
    "While a write is under way its note stands; a withdrawal takes it away as its last step.",
  ),
  ...all(
    UNHEARD,
    "if (!this.noted.has(number) && !this.writes.has(number)) return true;",
    ["early return dropped", "without !this.writes.has(number)"],
    "Without a note nothing is withdrawn further below either, and while a write is under way its note stands: the return spares the turn.",
  ),
];
