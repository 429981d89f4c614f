/**
 * One SQLite file, used by one process. Calls are synchronous, so a transaction never waits for
 * anything, and the fence is a plain read of the epoch inside it.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ElasticJobError } from "../../core/errors.ts";
import type { SqlValue } from "../dialect.ts";
import { translate } from "./errors.ts";

/** So long it waits for another process that has the file open, such as a backup. */
const BUSY_LIMIT_MS = 2_000;
/** Statements kept prepared. */
const PREPARED_LIMIT = 200;

export class Database {
  readonly path: string;
  private readonly database: DatabaseSync;
  private readonly prepared = new Map<string, StatementSync>();

  constructor(path: string) {
    this.path = path;
    try {
      this.database = new DatabaseSync(path, { timeout: BUSY_LIMIT_MS });
      this.database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    } catch (error) {
      throw translate(error, path);
    }
  }

  close(): void {
    if (!this.database.isOpen) return;
    this.prepared.clear();
    this.database.close();
  }

  exec(sql: string): void {
    this.database.exec(sql);
  }

  /** Rows of a SELECT. */
  read<Row>(sql: string, values: readonly SqlValue[]): Row[] {
    try {
      return this.prepare(sql).all(...values) as Row[];
    } catch (error) {
      throw translate(error);
    }
  }

  /** Number of rows that the write hit. Only inside `write`. */
  run(sql: string, values: readonly SqlValue[]): number {
    return Number(this.prepare(sql).run(...values).changes);
  }

  /** Carries out all of `work`, or nothing. With an epoch: only while that is the newest. */
  write<T>(epoch: number | null, work: () => T): T {
    try {
      this.database.exec("BEGIN IMMEDIATE");
      if (epoch !== null) this.checkEpoch(epoch);
      const result = work();
      this.database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.database.isOpen && this.database.isTransaction) this.database.exec("ROLLBACK");
      throw translate(error);
    }
  }

  private checkEpoch(epoch: number): void {
    const [row] = this.read<{ epoch: number }>("SELECT epoch FROM jobcluster WHERE id = 1", []);
    if (row?.epoch !== epoch) {
      throw new ElasticJobError("stale_epoch", `epoch ${epoch} is over: another mastership has begun`);
    }
  }

  private prepare(sql: string): StatementSync {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    if (this.prepared.size >= PREPARED_LIMIT) this.prepared.clear();
    const statement = this.database.prepare(sql);
    this.prepared.set(sql, statement);
    return statement;
  }
}
