/** What each statement costs the database, where it counts that (performance_schema). */
import type { Pool, RowDataPacket } from "mysql2/promise";

export interface Statement {
  readonly text: string;
  readonly runs: number;
  readonly rows: number;
  /** Elapsed, not CPU: waiting for the disk is in it. */
  readonly ms: number;
}

const TEXT_CHARACTERS = 110;
const MOST = 12;

/** Prepared statements are counted apart, and only while the connections that prepared them live. */
const BY_TEXT = `SELECT DIGEST_TEXT AS text, SUM(COUNT_STAR) AS runs, SUM(SUM_ROWS_AFFECTED) AS rows_hit,
    SUM(SUM_TIMER_WAIT) / 1e9 AS ms
  FROM performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME = ? GROUP BY DIGEST_TEXT
  UNION ALL
  SELECT CONCAT('prepared: ', LEFT(SQL_TEXT, 60)), SUM(COUNT_EXECUTE), SUM(SUM_ROWS_AFFECTED),
    SUM(SUM_TIMER_EXECUTE) / 1e9
  FROM performance_schema.prepared_statements_instances GROUP BY LEFT(SQL_TEXT, 60)
  ORDER BY ms DESC LIMIT ${MOST}`;

export async function readStatements(pool: Pool, schema: string): Promise<Statement[]> {
  const [rows] = await pool.query<RowDataPacket[]>(BY_TEXT, [schema]);
  return rows.map((row) => ({
    text: String(row["text"]).replace(/\s+/g, " ").slice(0, TEXT_CHARACTERS),
    runs: Number(row["runs"]),
    rows: Number(row["rows_hit"]),
    ms: Number(row["ms"]),
  }));
}
