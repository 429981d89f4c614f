import { shorten } from "./short-text.ts";

/** What can go wrong, for callers to act on. `rpc/error-codes.ts` maps each to its Connect code. */
export type ErrorCode =
  | "invalid_argument"
  | "not_found"
  | "already_exists"
  | "failed_precondition"
  | "resource_exhausted"
  | "unauthenticated"
  /** Try again: no master, or a server is out of reach. */
  | "unavailable"
  /** A write was refused because its epoch is over. Callers see it as `unavailable`. */
  | "stale_epoch"
  /** A key of the jobs to be stored has been taken meanwhile: whoever stores looks again whose it is. */
  | "key_taken"
  | "internal";

/** The project's one error class. */
export class ElasticJobError extends Error {
  override readonly name = "ElasticJobError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function isError(error: unknown, code: ErrorCode): error is ElasticJobError {
  return error instanceof ElasticJobError && error.code === code;
}

/** One thing wrong with a request: which field, and what would be accepted. */
export interface Problem {
  readonly field: string;
  readonly message: string;
}

/** Names every bad field at once. */
export function invalidArgument(problems: readonly Problem[]): ElasticJobError {
  return new ElasticJobError(
    "invalid_argument",
    problems.map((problem) => `${problem.field}: ${problem.message}`).join("; "),
  );
}

/** A value for a message, cut where it would flood it. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text, 80));
}
