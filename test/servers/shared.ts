/**
 * The servers that all test files share. The test runner starts them (or takes those it was given)
 * and passes their addresses on; each file works in a database and under a prefix of its own.
 */
import { randomBytes } from "node:crypto";
import mysql from "mysql2/promise";
import { openMysqlStore } from "../../src/store/open.ts";
import { systemClock } from "../../src/system-clock.ts";
import { documentedGrants, REDIS_PASSWORD, REDIS_USER } from "./least-rights.ts";

/** Without a database name; of an account that may do everything. */
export function mysqlUrl(): string {
  return required("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/");
}

/** Of an account with the rights that docs/operating.md names, and no others. */
export function redisUrl(): string {
  const url = new URL(adminRedisUrl());
  url.username = REDIS_USER;
  url.password = REDIS_PASSWORD;
  return url.href;
}

/** Of an account that may do everything. */
export function adminRedisUrl(): string {
  return required("TEST_REDIS_URL", "redis://127.0.0.1:6379/0");
}

export interface TestDatabase {
  /** Of an account with the rights of a node, as docs/operating.md names them: of rows only. */
  readonly url: string;
  /** Of an account with the rights that `migrate` needs. */
  readonly migratorUrl: string;
  /** Of an account that may do everything. */
  readonly adminUrl: string;
  drop(): Promise<void>;
}

/** Creates a database with the tables in it, or an empty one. `drop` removes it. */
export async function freshDatabase({ isEmpty = false } = {}): Promise<TestDatabase> {
  const server = mysqlUrl();
  const name = `ej_test_${randomBytes(6).toString("hex")}`;
  const [node, migrator] = [`${name}_n`, `${name}_m`];
  const { nodeGrants, migrateGrants } = documentedGrants();
  await run(
    server,
    `CREATE DATABASE ${name};
    CREATE USER '${node}'@'%' IDENTIFIED BY '${name}'; GRANT ${nodeGrants} ON ${name}.* TO '${node}'@'%';
    CREATE USER '${migrator}'@'%' IDENTIFIED BY '${name}'; GRANT ${migrateGrants} ON ${name}.* TO '${migrator}'@'%'`,
  );
  const urlOf = (user: string) => {
    const url = new URL(server);
    url.pathname = `/${name}`;
    if (user !== "") [url.username, url.password] = [user, name];
    return url.href;
  };
  const database = {
    url: urlOf(node),
    migratorUrl: urlOf(migrator),
    adminUrl: urlOf(""),
    drop: () =>
      run(server, `DROP DATABASE IF EXISTS ${name}; DROP USER IF EXISTS '${node}'@'%', '${migrator}'@'%'`),
  };
  if (!isEmpty) {
    const store = openMysqlStore({ url: database.migratorUrl, clock: systemClock });
    await store.migrate().finally(() => store.close());
  }
  return database;
}

/** A prefix for the keys of one test file. */
export function freshPrefix(): string {
  return `test-${randomBytes(6).toString("hex")}:`;
}

function required(name: string, example: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    throw new Error(
      `${name} is not set: run the tests with "npm test", or set it, for example ${name}=${example}`,
    );
  }
  return value;
}

async function run(server: string, sql: string): Promise<void> {
  const url = new URL(server);
  const connection = await mysql.createConnection({
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    multipleStatements: true,
  });
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}
