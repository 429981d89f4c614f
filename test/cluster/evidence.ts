/** What a run leaves behind, read by plain SQL: the project's own code is what is under test. */
import mysql, { type Connection, type Pool, type RowDataPacket } from "mysql2/promise";
import { NO_BOUNDS } from "../../src/core/job.ts";
import type { JobFact, RowFact } from "../guarantees/facts.ts";
import type { Effect } from "./effects-log.ts";

export interface Acknowledged {
  readonly jobId: number;
  readonly name: string;
}

/** A row of jobinfo. */
export interface JobLine extends JobFact {
  readonly handler: string;
  readonly at: number;
  readonly lost: number;
  readonly updateTime: number;
}

/** A row of jobresult. */
export interface ResultLine extends RowFact {
  readonly attempt: number;
  readonly epoch: number;
}

export interface Evidence {
  readonly jobs: readonly JobLine[];
  readonly results: readonly ResultLine[];
  readonly effects: readonly Effect[];
  readonly acknowledged: readonly Acknowledged[];
  /** Jobs that the test has deleted. */
  readonly deleted: ReadonlySet<number>;
  /** The final rows as `FinalRowWatch` saw them before. */
  readonly seenRows: readonly ResultLine[];
  /** The database's clock, epoch milliseconds. */
  readonly now: number;
}

const JOBS = `SELECT id, name, parent_id, status, at, scheduled_at, claim, lost, create_time, update_time, spec FROM jobinfo`;
const RESULTS = `SELECT job_id, claim, late, outcome, attempt, scheduled_at, start_time, end_time, retry_at, node, epoch,
  reason, skipped_through, skipped_count FROM jobresult`;

/** One connection, to be used by one statement after another. */
export async function openConnection(databaseUrl: string): Promise<Connection> {
  const connection = await mysql.createConnection({ uri: databaseUrl });
  // Of a connection that nobody is using: the database was taken away on purpose.
  connection.on("error", () => {});
  return connection;
}

/** Connections that come back by themselves when the database does. */
export function openEvidence(databaseUrl: string): Pool {
  return mysql.createPool({ uri: databaseUrl, connectionLimit: 2 });
}

/** Both tables as they were at one moment. */
export async function readTables(pool: Pool): Promise<Pick<Evidence, "jobs" | "results" | "now">> {
  const connection = await pool.getConnection();
  let isSound = false;
  try {
    await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    const [[clock]] = await connection.query<RowDataPacket[]>(
      "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS now_ms",
    );
    const [jobs] = await connection.query<RowDataPacket[]>(JOBS);
    const [results] = await connection.query<RowDataPacket[]>(RESULTS);
    await connection.query("COMMIT");
    isSound = true;
    return { jobs: jobs.map(jobLine), results: results.map(resultLine), now: Number(clock?.["now_ms"]) };
  } finally {
    if (isSound) connection.release();
    else connection.destroy();
  }
}

/** Jobs that run once and have not ended. */
export async function countUnfinished(pool: Pool): Promise<number> {
  const [[row]] = await pool.query<RowDataPacket[]>(
    `SELECT COUNT(*) AS count FROM jobinfo WHERE status IN (1, 3) AND spec NOT LIKE '%"kind":"cron"%'
      AND spec NOT LIKE '%"kind":"daily"%' AND spec NOT LIKE '%"kind":"interval"%'`,
  );
  return Number(row?.["count"]);
}

/** What is left out of the column `spec`, as it is in most rows. */
const DEFAULTS = {
  schedule: { kind: "immediate" },
  jitterMs: 0,
  misfire: "once",
  overlap: "wait",
  deadlineMs: null,
} as const satisfies Omit<JobFact["spec"], "name" | "bounds">;

function jobLine(row: RowDataPacket): JobLine {
  const { handler, bounds, ...spec } = JSON.parse(row["spec"]) as Partial<JobFact["spec"]> & {
    handler: string;
  };
  return {
    id: row["id"],
    handler,
    status: row["status"],
    at: Number(row["at"]),
    scheduledAt: Number(row["scheduled_at"]),
    claim: row["claim"],
    parentId: Number(row["parent_id"]),
    lost: row["lost"],
    createTime: row["create_time"],
    updateTime: row["update_time"],
    spec: { ...DEFAULTS, ...spec, name: row["name"], bounds: { ...NO_BOUNDS, ...bounds } },
  };
}

function resultLine(row: RowDataPacket): ResultLine {
  return {
    jobId: row["job_id"],
    claim: row["claim"],
    late: row["late"] === 1,
    outcome: row["outcome"],
    attempt: row["attempt"],
    scheduledAt: row["scheduled_at"],
    startTime: row["start_time"],
    endTime: row["end_time"],
    retryAt: row["retry_at"],
    node: row["node"],
    epoch: row["epoch"],
    reason: row["reason"],
    skippedThrough: row["skipped_through"],
    skippedCount: row["skipped_count"],
  };
}

/** Remembers every final row it has seen, and each other that it was later. */
export class FinalRowWatch {
  private readonly seen = new Map<string, ResultLine>();

  look(results: readonly ResultLine[]): void {
    for (const row of results) {
      if (!row.late) this.seen.set(JSON.stringify(row), row);
    }
  }

  get rows(): ResultLine[] {
    return [...this.seen.values()];
  }
}
