/** Brings the schema up to date, one process at a time, and proves that the fence holds there. */
import { type Clock, sleep } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import { loadMigrations, missingMigrations } from "../migrations.ts";
import type { ConnectionPool, Session } from "./connection-pool.ts";
import { failureOf } from "./errors.ts";
import { fencedEpochOfRow, fenceOnRow } from "./fence.ts";

const LOCK_WAIT_S = 30;
const LOCK_LIMIT_MS = (LOCK_WAIT_S + 5) * 1000;
const STATEMENT_LIMIT_MS = 600_000;
/** How long the proof lets a fenced write wait for the epoch's lock before it lets go. */
const PROOF_PAUSE_MS = 50;

/** The lock is the server's, so its name carries the database's. At most 64 characters; MySQL 9.6 dropped MD5. */
const LOCK_NAME = "CONCAT('elastic-job-', LEFT(SHA2(DATABASE(), 256), 40))";

export async function migrate(session: Session, pool: ConnectionPool, clock: Clock): Promise<void> {
  const all = loadMigrations("mysql");
  await lock(session);
  try {
    await session.query(
      "CREATE TABLE IF NOT EXISTS schemaversion (version INT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL) ENGINE=InnoDB",
    );
    const [row] = await session.read<{ version: number | null }>(
      "SELECT MAX(version) AS version FROM schemaversion",
      [],
    );
    for (const migration of missingMigrations(all, row?.version ?? 0)) {
      for (const statement of migration.statements) await session.query(statement, [], STATEMENT_LIMIT_MS);
      await session.query("INSERT INTO schemaversion (version, applied_at) VALUES (?, ?)", [
        migration.version,
        clock.now(),
      ]);
    }
    await proveFence(session, pool, clock);
  } finally {
    // If this fails the connection is broken, and its end frees the lock.
    await session.query(`DO RELEASE_LOCK(${LOCK_NAME})`).catch(() => session.destroy());
  }
}

async function lock(session: Session): Promise<void> {
  await session.query(`SET @elastic_job_lock = GET_LOCK(${LOCK_NAME}, ${LOCK_WAIT_S})`, [], LOCK_LIMIT_MS);
  const [row] = await session.read<{ locked: number | null }>("SELECT @elastic_job_lock AS locked", []);
  if (row === undefined || Number(row.locked) !== 1) {
    throw new ElasticJobError("unavailable", `another process has been migrating for ${LOCK_WAIT_S} s`);
  }
}

/**
 * One connection moves an epoch and keeps its transaction open, another tries to write under the old
 * one: it must wait, and be refused once the move is committed. Runs on rows of its own, under the
 * migration lock, so it disturbs no cluster that is at work.
 */
async function proveFence(session: Session, pool: ConnectionPool, clock: Clock): Promise<void> {
  const [row] = await session.read<{ epoch: number }>("SELECT epoch FROM cluster WHERE id = 2", []);
  const old = row?.epoch ?? 0;
  const holds = await pool.use(async (other) => {
    await session.query("BEGIN; UPDATE cluster SET epoch = epoch + 1 WHERE id = 2");
    const update = other
      .query(`UPDATE fenceproof SET written = written + 1 WHERE id = 1 AND ${fenceOnRow(2)}`, [old])
      .then((outcome) => outcome.affectedRows === 0);
    // Its rejection must not count as unhandled while this waits.
    update.catch(() => {});
    await sleep(clock, PROOF_PAUSE_MS);
    await session.query("COMMIT");
    if (!(await update)) return false;
    try {
      await other.query(`INSERT INTO fenceproof (id, epoch, written) VALUES (2, ${fencedEpochOfRow(2)}, 1)`, [
        old,
      ]);
      return false;
    } catch (error) {
      if (failureOf(error) === "null") return true;
      throw error;
    }
  });
  if (!holds) {
    throw new ElasticJobError(
      "failed_precondition",
      "the database let a write pass under an epoch that was over; elastic-job needs InnoDB tables on one writing server",
    );
  }
}
