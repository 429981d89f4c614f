/**
 * The servers that all test files share. The test runner starts them (or takes those it was given)
 * and passes their addresses on; each file works in a database and under a prefix of its own.
 */
import { randomBytes } from "node:crypto";
import mysql from "mysql2/promise";

/** Without a database name. */
export function mysqlUrl(): string {
  return required("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/");
}

export function redisUrl(): string {
  return required("TEST_REDIS_URL", "redis://127.0.0.1:6379/0");
}

/** Creates an empty database. `drop` removes it. */
export async function freshDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const server = mysqlUrl();
  const name = `ej_test_${randomBytes(6).toString("hex")}`;
  await run(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(server, `DROP DATABASE IF EXISTS ${name}`) };
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
  });
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}
