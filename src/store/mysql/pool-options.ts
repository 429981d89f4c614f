/** What the driver is told about connections: where to, how secure, how many. */
import { readFileSync } from "node:fs";
import type { PoolOptions, SslOptions } from "mysql2/promise";
import { ElasticJobError } from "../../core/errors.ts";
import { parseMysqlUrl, type TlsMode } from "./mysql-url.ts";

const CONNECT_LIMIT_MS = 5_000;
/** Closed by us before the server's `wait_timeout` does, which could cut off a statement just sent. */
const IDLE_LIMIT_MS = 20_000;
/** Callers that wait for a connection. */
const QUEUE_LIMIT = 1_000;
/** Statements that a connection keeps prepared: each large INSERT costs the server memory. */
const PREPARED_LIMIT = 100;

export function poolOptions(url: string, connections: number): PoolOptions {
  const { host, port, user, password, database, tls, caFile } = parseMysqlUrl(url);
  return {
    host,
    port,
    user,
    password,
    database,
    ...(tls === "DISABLED" ? {} : { ssl: tlsOptions(tls, caFile) }),
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

function tlsOptions(tls: TlsMode, caFile: string | null): SslOptions {
  return {
    ...(caFile === null ? {} : { ca: readCertificates(caFile) }),
    rejectUnauthorized: tls !== "REQUIRED",
    verifyIdentity: tls === "VERIFY_IDENTITY",
  };
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new ElasticJobError("failed_precondition", `MYSQL_URL: ssl-ca cannot be read: ${said}`, {
      cause: error,
    });
  }
}
