/** What SQLite's errors mean, and what callers see of them. */
import { ElasticJobError, type ErrorCode } from "../../core/errors.ts";

const DUPLICATE_CODES: readonly number[] = [1555, 2067]; // primary key, unique

export function isDuplicate(error: unknown): boolean {
  return DUPLICATE_CODES.includes(codeOf(error));
}

export function translate(error: unknown, path?: string): ElasticJobError {
  if (error instanceof ElasticJobError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const where = path === undefined ? "" : ` (${path})`;
  // Its number is that of all errors in a statement.
  if (said.startsWith("no such table: job")) {
    const message = `SQLite${where}: ${said}; restore it from a backup`;
    return new ElasticJobError("failed_precondition", message, { cause: error });
  }
  return new ElasticJobError(meaningOf(error), `SQLite${where}: ${said}`, { cause: error });
}

function meaningOf(error: unknown): ErrorCode {
  if (error instanceof Error && "code" in error && error.code === "ERR_INVALID_STATE") return "unavailable"; // closed
  // The low byte is the kind of error, the rest details.
  switch (codeOf(error) & 0xff) {
    case 5: // busy
    case 6: // locked
    case 8: // read-only
    case 10: // I/O error
    case 13: // disk full
    case 14: // cannot open
      return "unavailable";
    case 18: // too big
    case 19: // a constraint
    case 20: // datatype mismatch
      return "invalid_argument";
    default:
      return "internal";
  }
}

function codeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number"
    ? error.errcode
    : 0;
}
