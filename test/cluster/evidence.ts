/** What a run leaves behind, read by plain SQL: the project's own code is what is under test. */
import mysql, { type Connection, type Pool, type RowDataPacket } from "mysql2/promise";
import type { Schedule } from "../../src/core/job.ts";
import type { Effect } from "./effects-log.ts";

export interface Acknowledged {
  readonly jobId: number;
  readonly name: string;
}

/** A row of jobinfo. */
export interface JobLine {
  readonly id: number;
  readonly name: string;
  readonly handler: string;
  readonly status: number;
  readonly at: number;
  readonly scheduledAt: number;
  readonly claim: number;
  readonly lost: number;
  readonly createTime: number;
  readonly updateTime: number;
  readonly schedule: Schedule;
}

/** A row of jobresult. */
export interface ResultLine {
  readonly jobId: number;
  readonly claim: number;
  readonly late: boolean;
  readonly outcome: number;
  readonly attempt: number;
  readonly scheduledAt: number;
  readonly startTime: number;
  readonly endTime: number;
  readonly retryAt: number | null;
  readonly node: number;
  readonly epoch: number;
  readonly reason: string;
  readonly skippedThrough: number | null;
  readonly skippedCount: number;
}

export interface Evidence {
  readonly jobs: readonly JobLine[];
  readonly results: readonly ResultLine[];
  readonly effects: readonly Effect[];
  readonly acknowledged: readonly Acknowledged[];
  /** Jobs that the test has deleted. */
  readonly deleted: ReadonlySet<number>;
  /** What `FinalRowWatch` saw change. */
  readonly changedRows: readonly string[];
  /** The database's clock, epoch milliseconds. */
  readonly now: number;
}

const JOBS = `SELECT id, name, status, at, scheduled_at, claim, lost, create_time, update_time, spec FROM jobinfo`;
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
      AND spec NOT LIKE '%"kind":"daily"%'`,
  );
  return Number(row?.["count"]);
}

function jobLine(row: RowDataPacket): JobLine {
  // An immediate schedule is the default, and left out.
  const { handler, schedule = { kind: "immediate" } } = JSON.parse(row["spec"]) as {
    handler: string;
    schedule?: Schedule;
  };
  return {
    id: row["id"],
    name: row["name"],
    handler,
    status: row["status"],
    at: Number(row["at"]),
    scheduledAt: Number(row["scheduled_at"]),
    claim: row["claim"],
    lost: row["lost"],
    createTime: row["create_time"],
    updateTime: row["update_time"],
    schedule,
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

/** Remembers every final row it has seen, and notes each that is another, or gone, when it looks again. */
export class FinalRowWatch {
  readonly changed: string[] = [];
  private readonly seen = new Map<string, string>();

  look(results: readonly ResultLine[]): void {
    const now = new Map(
      results
        .filter(({ late }) => !late)
        .map((row) => [`job ${row.jobId}, claim ${row.claim}`, JSON.stringify(row)]),
    );
    for (const [name, text] of this.seen) {
      const current = now.get(name);
      if (current === undefined) this.changed.push(`the final row of ${name} is gone`);
      else if (current !== text)
        this.changed.push(`the final row of ${name} was ${text} and became ${current}`);
    }
    for (const [name, text] of now) this.seen.set(name, text);
  }
}
