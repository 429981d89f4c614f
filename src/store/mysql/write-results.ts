/**
 * Recording results (G3): the first row for a claim wins and is final. The primary key decides: an
 * INSERT that meets a duplicate stores none of its rows, so what is there is read, own rows from an
 * earlier try count as stored, and the others are inserted again. Never INSERT IGNORE: it would turn
 * the fence's NULL into 0.
 */
import { ElasticJobError } from "../../core/errors.ts";
import type { ResultRecord } from "../../core/job.ts";
import { rowValues } from "../column-list.ts";
import { MYSQL } from "../dialect.ts";
import { chunks } from "../in-list.ts";
import type { ResultWrite } from "../job-store.ts";
import { claimList } from "../read-jobs.ts";
import {
  isKeptLate,
  isOwnRow,
  isSuccess,
  RESULT_COLUMNS,
  RESULT_VALUES,
  SELECT_WRITER,
  SUCCESS,
  SUCCESS_VALUES,
  type WriterColumns,
} from "../result-row.ts";
import type { Session } from "./connection-pool.ts";
import { failureOf } from "./errors.ts";
import { insertFenced } from "./fence.ts";
import { largestPreparedSize, MultiRowInsert } from "./multi-row-insert.ts";

const INSERT_SUCCESS = new MultiRowInsert({
  table: "jobresult",
  columns: RESULT_COLUMNS,
  fixed: SUCCESS,
  fenced: false,
});
const INSERT = new MultiRowInsert({ table: "jobresult", columns: RESULT_COLUMNS, fenced: false });
const INSERT_FENCED = new MultiRowInsert({ table: "jobresult", columns: RESULT_COLUMNS, fenced: true });
const MOST_ROWS = 1000;
/** So many rows are worth one more statement. */
const MANY_ROWS = 100;
/** Rounds of reading and inserting again; each further one needs yet another writer of the same claims. */
const MOST_ROUNDS = 10;
/** Far below any server's max_allowed_packet, also when every byte is escaped. */
const STATEMENT_CHARACTERS = 1024 * 1024;

interface Pending {
  readonly index: number;
  readonly result: ResultRecord;
}

/** `epoch` 0: a node writes. With an epoch a master does, fenced, and its late rows are dropped. */
export async function writeResults(
  session: Session,
  epoch: number,
  results: readonly ResultRecord[],
): Promise<ResultWrite[]> {
  const outcomes: ResultWrite[] = results.map((result) => (result.late ? "late" : "first"));
  const pending = results.map((result, index) => ({ index, result }));
  for (const part of parts(pending, epoch)) await writePart(session, epoch, part, outcomes);
  return outcomes;
}

async function writePart(
  session: Session,
  epoch: number,
  part: readonly Pending[],
  outcomes: ResultWrite[],
): Promise<void> {
  let pending = part;
  for (let round = 0; pending.length > 0; round++) {
    if (round === MOST_ROUNDS)
      throw new ElasticJobError("unavailable", "others keep writing the same results");
    try {
      await insert(session, epoch, pending);
      return;
    } catch (error) {
      if (failureOf(error) !== "duplicate") throw error;
    }
    pending = await sort(session, epoch, pending, outcomes);
  }
}

function insert(session: Session, epoch: number, pending: readonly Pending[]): Promise<unknown> {
  const results = pending.map(({ result }) => result);
  if (results.every((result) => isSuccess(result, epoch))) {
    return INSERT_SUCCESS.run(session, rowValues(SUCCESS_VALUES, results, epoch));
  }
  const values = rowValues(RESULT_VALUES, results, epoch);
  if (epoch === 0) return INSERT.run(session, values);
  return insertFenced(epoch, () => INSERT_FENCED.run(session, values));
}

/** Takes out what is stored or dropped, makes late what lost to another row; returns what is left to insert. */
async function sort(
  session: Session,
  epoch: number,
  pending: readonly Pending[],
  outcomes: ResultWrite[],
): Promise<Pending[]> {
  const list = claimList(
    MYSQL,
    pending.map(({ result }) => result),
  );
  const rows = await session.read<WriterColumns>(
    `SELECT ${SELECT_WRITER} FROM jobresult WHERE ${list.sql}`,
    list.values,
  );
  const stored = new Map(rows.map((row) => [nameOf(row.job_id, row.claim, row.late === 1), row]));
  // Two rows for one claim in one call: the second is late too.
  const chosen = new Set<string>();
  const left: Pending[] = [];
  const keep = (one: Pending) => {
    const { result } = one;
    const name = nameOf(result.jobId, result.claim, result.late);
    const row = stored.get(name);
    if (row === undefined && !chosen.has(name)) {
      chosen.add(name);
      left.push(one);
    } else if (row !== undefined && isOwnRow(row, result, epoch)) {
      // It is stored.
    } else if (!result.late) {
      outcomes[one.index] = "late";
      if (epoch === 0 && isKeptLate(result)) keep({ ...one, result: { ...result, late: true } });
    }
    // A second late row of a claim is dropped: there is room for one.
  };
  for (const one of pending) keep(one);
  return left;
}

function nameOf(jobId: number, claim: number, late: boolean): string {
  return `${jobId}/${claim}/${late}`;
}

/** Statements of bounded rows and size. The rows are independent of each other. */
function parts(pending: readonly Pending[], epoch: number): (readonly Pending[])[] {
  return byKind(pending, epoch).flatMap(bySize).flatMap(inPreparedSizes);
}

/** Most jobs have succeeded, and their rows go together; unless there are two rows for a claim, of which the first counts. */
function byKind(pending: readonly Pending[], epoch: number): (readonly Pending[])[] {
  const isPlain = ({ result }: Pending) => isSuccess(result, epoch);
  const plain = pending.filter(isPlain);
  if (plain.length === pending.length || plain.length === 0) return [pending];
  const claims = new Set(pending.map(({ result }) => `${result.jobId}/${result.claim}`));
  if (claims.size < pending.length) return [pending];
  return [plain, pending.filter((one) => !isPlain(one))];
}

function bySize(pending: readonly Pending[]): (readonly Pending[])[] {
  const sized: Pending[][] = [];
  let part: Pending[] = [];
  let characters = 0;
  for (const one of pending) {
    const more = (one.result.output?.length ?? 0) + (one.result.error?.stack?.length ?? 0);
    if (characters + more > STATEMENT_CHARACTERS && part.length > 0) {
      sized.push(part);
      part = [];
      characters = 0;
    }
    part.push(one);
    characters += more;
  }
  if (part.length > 0) sized.push(part);
  return sized;
}

/** Most of many rows go in a statement that is prepared; the rest of them then costs little. */
function inPreparedSizes(pending: readonly Pending[]): (readonly Pending[])[] {
  return chunks(pending, MOST_ROWS).flatMap((part) => {
    const most = largestPreparedSize(part.length);
    return most < MANY_ROWS ? [part] : [part.slice(0, most), ...chunks(part.slice(most))];
  });
}
