/** What the driver's errors mean, and what callers see of them. */
import { ElasticJobError } from "../../core/errors.ts";
import { tlsFailureIn } from "../../tls/tls-failure.ts";
import { mendTable, tableRefusalIn } from "./table-refusal.ts";

export interface DriverError extends Error {
  readonly errno?: number;
  readonly code?: string;
  readonly fatal?: boolean;
  readonly sqlMessage?: string;
}

/**
 * - `conflict`: rolled back because of another transaction; the same statement may succeed now.
 * - `cut`: the connection ended under the statement; whether it was carried out is unknown.
 * - `not_now`: the server takes no statements, or no writes, at the moment; nothing was done.
 * - `duplicate`, `null`: the row broke its primary key, or a NOT NULL column (the fence).
 * - `refused_row`: a value that the schema does not take.
 * - `refused_login`: the address or account in the URL is wrong, or may not do what was asked at all.
 * - `refused_table`: the account may not do that with the table, or the table is gone.
 * - `no_tls`: the connection cannot be as secure as the URL asks.
 */
export type Failure =
  | "conflict"
  | "cut"
  | "not_now"
  | "duplicate"
  | "null"
  | "refused_row"
  | "refused_login"
  | "no_tls"
  | "refused_table"
  | "other";

const FAILURES: ReadonlyMap<number, Failure> = new Map<number, Failure>([
  [1205, "conflict"], // lock wait timeout
  [1213, "conflict"], // deadlock
  [1020, "conflict"], // record has changed since last read
  [1053, "cut"], // server shutdown in progress
  [1152, "cut"], // aborted connection
  [1158, "cut"], // communication errors
  [1159, "cut"],
  [1160, "cut"],
  [1161, "cut"],
  [1317, "cut"], // query interrupted
  [1927, "cut"], // connection was killed (MariaDB)
  [3169, "cut"], // session was killed (MySQL)
  [4031, "cut"], // idle for too long (MySQL)
  [1040, "not_now"], // too many connections
  [1203, "not_now"],
  [1226, "not_now"],
  [1290, "not_now"], // read-only
  [1792, "not_now"],
  [1836, "not_now"],
  [1062, "duplicate"],
  [1048, "null"],
  [1153, "refused_row"], // larger than max_allowed_packet
  [1264, "refused_row"], // out of range
  [1366, "refused_row"], // not a value of the column's type or charset
  [1406, "refused_row"], // too long
  [3159, "no_tls"], // plaintext is prohibited
  [1044, "refused_login"],
  [1045, "refused_login"],
  [1049, "refused_login"], // unknown database
  [1146, "refused_table"], // no such table
  [1142, "refused_table"], // the account may not do that with it
  [1143, "refused_table"], // nor with its column
  [1227, "refused_login"], // nor at all
]);

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return "other";
  const { errno, fatal, code } = error as DriverError;
  const known = errno === undefined ? undefined : FAILURES.get(errno);
  if (known !== undefined) return known;
  if (code === "HANDSHAKE_NO_SSL_SUPPORT") return "no_tls";
  // By TLS 1.3 the first read ends with what the server thinks of our certificate; and no later try shows another.
  if (code?.startsWith("ERR_SSL_") === true && tlsFailureIn(code)?.startsWith("certificate_") === true) {
    return "no_tls";
  }
  // The driver puts it over the network's own codes, too.
  if (code === "HANDSHAKE_SSL_ERROR" && errno === undefined && !/disconnected/.test(error.message))
    return "no_tls";
  // An error without the server's number is the network's or the driver's: reset, closed, not resolved.
  if (fatal === true || isNetworkCode(code)) return "cut";
  return "other";
}

function isNetworkCode(code: string | undefined): boolean {
  return code !== undefined && /^(E[A-Z]+|PROTOCOL_[A-Z_]+)$/.test(code);
}

/** The server's words, or the driver's. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? ((error as DriverError).sqlMessage ?? error.message) : String(error);
}

export function translate(error: unknown): ElasticJobError {
  if (error instanceof ElasticJobError) return error;
  const failure = failureOf(error);
  const said = wordsOf(error);
  switch (failure) {
    case "refused_row":
      return new ElasticJobError("invalid_argument", `MySQL refused a value: ${said}`, { cause: error });
    case "refused_login":
      return new ElasticJobError("failed_precondition", `MYSQL_URL: the server refused it: ${said}`, {
        cause: error,
      });
    case "refused_table":
      return new ElasticJobError(
        "failed_precondition",
        `MySQL: ${said}; ${mendTable(tableRefusalIn(said))}`,
        { cause: error },
      );
    case "no_tls":
      return new ElasticJobError(
        "failed_precondition",
        `MYSQL_URL: no connection as its ssl-mode asks: ${said}`,
        {
          cause: error,
        },
      );
    case "conflict":
    case "cut":
    case "not_now":
      return new ElasticJobError("unavailable", `MySQL is out of reach: ${said || "no answer"}`, {
        cause: error,
      });
    case "duplicate":
    case "null":
    case "other":
      return new ElasticJobError("internal", `MySQL: ${said}`, { cause: error });
  }
}

/** These have the shape of the driver's own network errors, so that they count as a cut connection. */
export function timedOut(what: string, limitMs: number): Error {
  return Object.assign(new Error(`${what} took more than ${limitMs} ms`), { code: "ETIMEDOUT", fatal: true });
}

export function connectionLost(under: string, cause: unknown): Error {
  const error = new Error(`the connection ended under ${under}`, { cause });
  return Object.assign(error, { code: "ECONNRESET", fatal: true });
}
