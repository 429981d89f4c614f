/**
 * A bounded set of connections. Each is set up once (isolation, strict mode, time limits), is closed
 * when a statement exceeds its time limit, and is replaced when the server has closed it.
 */
import mysql, { type Pool, type PoolConnection } from "mysql2/promise";
import type { Clock } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { Answers } from "../../core/readiness/answers.ts";
import type { SqlValue } from "../dialect.ts";
import { failureOf, timedOut, wordsOf } from "./errors.ts";
import { type MysqlTarget, parseMysqlUrl } from "./mysql-url.ts";
import { poolOptions } from "./pool-options.ts";
import { RefusedTables } from "./refused-tables.ts";
import { withTlsAdvice } from "./tls-advice.ts";

const ACQUIRE_LIMIT_MS = 10_000;
const CLOSE_LIMIT_MS = 5_000;

/** For so long the server keeps a connection from which nothing comes, and what it has locked. */
const IDLE_S = 30;
/**
 * Stands before a transaction: a process that is frozen in it keeps its locks for a second, not for IDLE_S. UNBOUND
 * stands after it, and goes with each rollback.
 */
export const BOUND = "SET SESSION wait_timeout = 1";
export const UNBOUND = `SET SESSION wait_timeout = ${IDLE_S}`;

const SETUP = `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET NAMES utf8mb4 COLLATE utf8mb4_bin;
SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 2,
  wait_timeout = ${IDLE_S}, autocommit = 1, time_zone = '+00:00'`;

export interface WriteOutcome {
  /** Rows that the WHERE clause hit. */
  readonly affectedRows: number;
  readonly insertId: number;
}

export interface PoolSettings {
  readonly url: string;
  readonly clock: Clock;
  readonly connections: number;
  /** A statement that takes longer counts as a cut connection. */
  readonly statementLimitMs: number;
  /** Null: whoever calls is told, and nobody else. */
  readonly logger?: Logger | null;
}

export class ConnectionPool {
  /** To writes: a server may still answer reads, and be of no use to a master. */
  readonly answers: Answers;
  private readonly settings: PoolSettings;
  private readonly tables: RefusedTables;
  private readonly target: MysqlTarget;
  private readonly pool: Pool;
  private readonly ready = new WeakSet<object>();
  private closed = false;

  constructor(settings: PoolSettings) {
    this.settings = settings;
    this.answers = new Answers("MySQL", () => settings.clock.monotonic());
    this.tables = new RefusedTables(this.answers, settings.logger ?? null);
    this.target = parseMysqlUrl(settings.url);
    this.pool = mysql.createPool(poolOptions(this.target, settings.connections));
  }

  /** Lends a connection. After an error it is rolled back, or closed when it is no longer sound. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.closed) throw new ElasticJobError("unavailable", "the store is closed");
    try {
      return await this.lend(work);
    } catch (error) {
      this.noteFailure(error);
      throw error;
    }
  }

  private async lend<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const connection = await this.acquire();
    const session = new Session(connection, this.settings, this.tables);
    let sound = false;
    try {
      // The wrapper differs each time that it is lent; the connection under it stays.
      if (!this.ready.has(connection.connection)) {
        await session.query(SETUP);
        this.ready.add(connection.connection);
      }
      const { writes } = session;
      const result = await work(session);
      if (session.writes > writes) this.answers.answered();
      sound = true;
      return result;
    } catch (error) {
      // A lock wait timeout rolls back its statement only, and would leave a transaction open.
      const failure = failureOf(error);
      sound = failure !== "cut" && failure !== "not_now" && (await session.rollback());
      throw error;
    } finally {
      if (sound && !session.destroyed) connection.release();
      else session.destroy();
    }
  }

  private noteFailure(error: unknown): void {
    switch (error instanceof ElasticJobError ? null : failureOf(error)) {
      case "cut":
        return this.answers.failed(false);
      case "refused_table":
        this.tables.refused(wordsOf(error));
        return this.answers.failed(true, wordsOf(error));
      case "not_now":
      case "refused_login":
      case "no_tls":
        return this.answers.failed(true, wordsOf(error));
      case "other":
        // What it says then may have a caller's values in it.
        return this.answers.failed(true);
      default:
        // Of one statement, and its own fault: it says nothing of what is asked next.
        return;
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.settings.clock.after(CLOSE_LIMIT_MS, resolve);
    await Promise.race([this.pool.end().catch(() => {}), promise]);
    cancel();
  }

  private async acquire(): Promise<PoolConnection> {
    const { promise, reject } = Promise.withResolvers<never>();
    let late = false;
    const cancel = this.settings.clock.after(ACQUIRE_LIMIT_MS, () => {
      late = true;
      reject(timedOut("waiting for a connection", ACQUIRE_LIMIT_MS));
    });
    const lent = this.pool.getConnection();
    lent.then(
      (connection) => late && connection.release(),
      () => {},
    );
    try {
      return await Promise.race([lent, promise]);
    } catch (error) {
      // The driver's errors for a full queue and a closed pool have neither number nor code.
      if (error instanceof Error && !("code" in error) && !("errno" in error)) {
        throw new ElasticJobError("unavailable", `no connection to MySQL: ${error.message}`, {
          cause: error,
        });
      }
      throw withTlsAdvice(error, this.target);
    } finally {
      cancel();
    }
  }
}

/** A connection while it is lent. Errors are the driver's. */
export class Session {
  private readonly connection: PoolConnection;
  private readonly settings: PoolSettings;
  private readonly tables: RefusedTables;
  destroyed = false;
  /** How many have been answered. */
  writes = 0;

  constructor(connection: PoolConnection, settings: PoolSettings, tables: RefusedTables) {
    this.connection = connection;
    this.settings = settings;
    this.tables = tables;
  }

  /** A prepared write: for texts of few variants. */
  async execute(sql: string, values: readonly SqlValue[]): Promise<WriteOutcome> {
    const [outcome] = await this.limited(() =>
      this.connection.execute<mysql.ResultSetHeader>(sql, values as SqlValue[]),
    );
    this.writes++;
    this.tables.carriedOut(sql);
    return outcome;
  }

  /** A write, or a packet of several, sent as text. */
  async query(sql: string, values: readonly SqlValue[] = [], limitMs?: number): Promise<WriteOutcome> {
    const [outcome] = await this.limited(
      () => this.connection.query<mysql.ResultSetHeader>(sql, values as SqlValue[]),
      limitMs,
    );
    this.writes++;
    this.tables.carriedOut(sql);
    return outcome;
  }

  /** A prepared SELECT. */
  async read<Row>(sql: string, values: readonly SqlValue[]): Promise<Row[]> {
    const [rows] = await this.limited(() =>
      this.connection.execute<mysql.RowDataPacket[]>(sql, values as SqlValue[]),
    );
    this.tables.carriedOut(sql);
    return rows as Row[];
  }

  /** False: it could not be done, and the connection is closed, which does it too. */
  async rollback(): Promise<boolean> {
    try {
      await this.query(`ROLLBACK; ${UNBOUND}`);
      return true;
    } catch {
      this.destroy();
      return false;
    }
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.connection.destroy();
  }

  private async limited<T>(run: () => Promise<T>, limitMs = this.settings.statementLimitMs): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const cancel = this.settings.clock.after(limitMs, () => {
      this.destroy();
      reject(timedOut("a statement", limitMs));
    });
    const running = run();
    // When the limit wins, the driver's own error comes later and must not go unhandled.
    running.catch(() => {});
    try {
      return await Promise.race([running, promise]);
    } finally {
      cancel();
    }
  }
}
