/** What the driver is told about connections: where to, how secure, how many. */
import { readFileSync } from "node:fs";
import type { PoolOptions, SslOptions } from "mysql2/promise";
import { ElasticJobError } from "../../core/errors.ts";
import { checkPair } from "../../tls/certificates.ts";
import type { MysqlTarget } from "./mysql-url.ts";

const CONNECT_LIMIT_MS = 5_000;
/** Closed by us before the server's `wait_timeout` does, which could cut off a statement just sent. */
const IDLE_LIMIT_MS = 20_000;
/** Callers that wait for a connection. */
const QUEUE_LIMIT = 1_000;
/** Statements that a connection keeps prepared: each large INSERT costs the server memory. */
const PREPARED_LIMIT = 100;

export function poolOptions(target: MysqlTarget, connections: number): PoolOptions {
  const { host, port, user, password, database, tls } = target;
  return {
    host,
    port,
    user,
    password,
    database,
    ...(tls === "DISABLED" ? {} : { ssl: tlsOptions(target) }),
    charset: "utf8mb4_bin",
    connectTimeout: CONNECT_LIMIT_MS,
    connectionLimit: connections,
    maxIdle: Math.max(1, connections - 1),
    idleTimeout: IDLE_LIMIT_MS,
    queueLimit: QUEUE_LIMIT,
    maxPreparedStatements: PREPARED_LIMIT,
    // The packet needs them that adds jobs with keys, and each rollback. All values are bound.
    multipleStatements: true,
    // All numbers are below 2^53.
    supportBigNumbers: false,
    enableKeepAlive: true,
    trace: false,
    timezone: "Z",
  };
}

function tlsOptions({ tls, caFile, own }: MysqlTarget): SslOptions {
  return {
    ...(caFile === null ? {} : { ca: readText("ssl-ca", caFile) }),
    ...(own === null ? {} : readPair(own.certFile, own.keyFile)),
    rejectUnauthorized: tls !== "REQUIRED",
    verifyIdentity: tls === "VERIFY_IDENTITY",
  };
}

function readPair(certFile: string, keyFile: string) {
  const [cert, key] = [readText("ssl-cert", certFile), readText("ssl-key", keyFile)];
  try {
    checkPair(cert, key);
  } catch (error) {
    throw unusable("ssl-cert and ssl-key cannot be used", error);
  }
  return { cert, key };
}

function readText(parameter: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unusable(`${parameter} cannot be read`, error);
  }
}

function unusable(what: string, cause: unknown): ElasticJobError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new ElasticJobError("failed_precondition", `MYSQL_URL: ${what}: ${said}`, { cause });
}
