/** Brings the schema up to date, one process at a time, and proves that the fence holds there. */
import { type Clock, sleep } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import { marks } from "../in-list.ts";
import {
  foreignTables,
  isSameTable,
  loadMigrations,
  missingMigrations,
  type Relation,
  tablesGone,
  tablesOf,
} from "../migrations.ts";
import { BOUND, type ConnectionPool, type Session, UNBOUND } from "./connection-pool.ts";
import { failureOf } from "./errors.ts";
import { fencedEpochOfRow, fenceOnRow } from "./fence.ts";

const LOCK_WAIT_S = 30;
const LOCK_LIMIT_MS = (LOCK_WAIT_S + 5) * 1000;
const STATEMENT_LIMIT_MS = 600_000;
/** A process that is frozen while it has the lock loses it before those that wait for it give up. */
const BOUND_LOCK = "SET SESSION wait_timeout = 10";
/** How long the proof lets a fenced write wait for the epoch's lock before it lets go. */
const PROOF_PAUSE_MS = 50;
const PROOF_TRIES = 3;

/** The lock is the server's, so its name carries the database's. At most 64 characters; MySQL 9.6 dropped MD5. */
const LOCK_NAME = "CONCAT('elastic-job-', LEFT(SHA2(DATABASE(), 256), 40))";

export async function migrate(session: Session, pool: ConnectionPool, clock: Clock): Promise<void> {
  const all = loadMigrations("mysql");
  await lock(session);
  try {
    const there = await readTables(session, [...tablesOf(all).keys()]);
    const applied = await appliedVersion(session, there);
    const missing = missingMigrations(all, applied);
    const gone = [...tablesOf(all.slice(0, applied)).keys()].filter((name) => !there.has(name));
    if (gone.length > 0) throw tablesGone(gone, await placeOf(session));
    // One of ours may be there already, from a process that ended between two statements.
    const wanted = tablesOf(missing);
    const foreign = [...there.values()].filter(
      ({ name, isView, columns }) => wanted.has(name) && (isView || !isSameTable(columns, wanted.get(name))),
    );
    if (foreign.length > 0) throw foreignTables(foreign, await placeOf(session));
    // With nothing missing, an account that may only read and write rows gets by.
    for (const migration of missing) {
      for (const statement of migration.statements) await session.query(statement, [], STATEMENT_LIMIT_MS);
      await session.query("INSERT INTO jobschema (version, applied_at) VALUES (?, ?)", [
        migration.version,
        clock.now(),
      ]);
    }
    await proveFence(pool, clock);
  } finally {
    // If this fails the connection is broken, and its end frees the lock.
    await session.query(`DO RELEASE_LOCK(${LOCK_NAME}); ${UNBOUND}`).catch(() => session.destroy());
  }
}

interface There extends Relation {
  readonly columns: readonly string[];
}

async function readTables(session: Session, names: readonly string[]): Promise<ReadonlyMap<string, There>> {
  // A view whose tables are gone has no columns, and stands in the way all the same.
  const rows = await session.read<{ name: string; kind: string; field: string | null }>(
    `SELECT t.table_name AS name, t.table_type AS kind, c.column_name AS field FROM information_schema.tables t
    LEFT JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name
    WHERE t.table_schema = DATABASE() AND t.table_name IN (${marks(names.length)})`,
    names,
  );
  return new Map(
    names.flatMap((name) => {
      const own = rows.filter((row) => row.name === name);
      const columns = own.flatMap(({ field }) => field ?? []);
      const [first] = own;
      return first === undefined ? [] : [[name, { name, isView: first.kind === "VIEW", columns }]];
    }),
  );
}

async function appliedVersion(session: Session, there: ReadonlyMap<string, There>): Promise<number> {
  const schema = there.get("jobschema");
  if (schema?.isView !== false || !isSameTable(schema.columns, ["version", "applied_at"])) return 0;
  const [row] = await session.read<{ version: number | null }>(
    "SELECT MAX(version) AS version FROM jobschema",
    [],
  );
  return row?.version ?? 0;
}

async function placeOf(session: Session): Promise<string> {
  const [row] = await session.read<{ name: string }>("SELECT DATABASE() AS name", []);
  return `the database ${row?.name ?? "of MYSQL_URL"}`;
}

async function lock(session: Session): Promise<void> {
  await session.query(`SET @elastic_job_lock = GET_LOCK(${LOCK_NAME}, ${LOCK_WAIT_S})`, [], LOCK_LIMIT_MS);
  const [row] = await session.read<{ locked: number | null }>("SELECT @elastic_job_lock AS locked", []);
  if (row === undefined || Number(row.locked) !== 1) {
    throw new ElasticJobError("unavailable", `another process has been migrating for ${LOCK_WAIT_S} s`);
  }
  await session.query(BOUND_LOCK);
}

/** Its transaction is the only one that waits for this process; one that was away for so long that it was cut off tries again. */
async function proveFence(pool: ConnectionPool, clock: Clock): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      if (await pool.use((mover) => pool.use((writer) => doesFenceHold(mover, writer, clock)))) return;
    } catch (error) {
      if (failureOf(error) !== "cut" || tries === PROOF_TRIES) throw error;
      continue;
    }
    throw new ElasticJobError(
      "failed_precondition",
      "the database let a write pass under an epoch that was over; elastic-job needs InnoDB tables on one writing server",
    );
  }
}

/**
 * One connection moves an epoch and keeps its transaction open, another tries to write under the old
 * one: it must wait, and be refused once the move is committed. Runs on rows of its own, under the
 * migration lock, so it disturbs no cluster that is at work.
 */
async function doesFenceHold(mover: Session, writer: Session, clock: Clock): Promise<boolean> {
  const [row] = await mover.read<{ epoch: number }>("SELECT epoch FROM jobcluster WHERE id = 2", []);
  const old = row?.epoch ?? 0;
  await mover.query(`${BOUND}; BEGIN; UPDATE jobcluster SET epoch = epoch + 1 WHERE id = 2`);
  const update = writer.query(
    `UPDATE jobfenceproof SET written = written + 1 WHERE id = 1 AND ${fenceOnRow(2)}`,
    [old],
  );
  // Its rejection must not count as unhandled while this waits.
  update.catch(() => {});
  await sleep(clock, PROOF_PAUSE_MS);
  await mover.query(`COMMIT; ${UNBOUND}`);
  if ((await update).affectedRows !== 0) return false;
  try {
    await writer.query(
      `INSERT INTO jobfenceproof (id, epoch, written) VALUES (2, ${fencedEpochOfRow(2)}, 1)`,
      [old],
    );
    return false;
  } catch (error) {
    if (failureOf(error) === "null") return true;
    throw error;
  }
}
