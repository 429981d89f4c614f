/** Recording results (G3): the first row for a claim wins and is final. */
import type { ResultRecord } from "../../core/job.ts";
import { rowValues } from "../column-list.ts";
import { marks } from "../in-list.ts";
import type { ResultWrite } from "../job-store.ts";
import {
  isKeptLate,
  isOwnRow,
  RESULT_COLUMNS,
  RESULT_VALUES,
  SELECT_WRITER,
  type WriterColumns,
} from "../result-row.ts";
import type { Database } from "./database.ts";

const COLUMNS = RESULT_COLUMNS.join(", ");
const INSERT = `INSERT INTO jobresult (${COLUMNS}) VALUES (${marks(RESULT_COLUMNS.length)}) ON CONFLICT DO NOTHING`;
const FIND = `SELECT ${SELECT_WRITER} FROM jobresult WHERE job_id = ? AND claim = ? AND late = 0`;

/** `epoch` null: a node writes. With an epoch a master does, fenced, and its late rows are dropped. */
export function writeResults(
  database: Database,
  epoch: number | null,
  results: readonly ResultRecord[],
): ResultWrite[] {
  return database.write(epoch, () => results.map((result) => writeResult(database, epoch, result)));
}

function writeResult(database: Database, epoch: number | null, result: ResultRecord): ResultWrite {
  if (!result.late) {
    if (insert(database, epoch, result)) return "first";
    const [row] = database.read<WriterColumns>(FIND, [result.jobId, result.claim]);
    if (row !== undefined && isOwnRow(row, result, epoch ?? 0)) return "first";
    if (epoch !== null || !isKeptLate(result)) return "late";
  }
  // There is room for one late row; a further one is dropped.
  insert(database, epoch, { ...result, late: true });
  return "late";
}

function insert(database: Database, epoch: number | null, result: ResultRecord): boolean {
  return database.run(INSERT, rowValues(RESULT_VALUES, [result], epoch ?? 0)) === 1;
}
