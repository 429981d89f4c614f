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
  /** What is wrong with each field, where it is about fields. */
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; problems?: readonly Problem[] } = {},
  ) {
    const { problems = [], ...others } = options;
    super(message, others);
    this.code = code;
    this.problems = problems;
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
    { problems },
  );
}

/** For programs, which take the field for a path: what is wrong with a request as a whole ("the body") has none. */
export function withPaths(problems: readonly Problem[]): readonly Problem[] {
  return problems.map((problem) => {
    const { field, message } = problem;
    return field.startsWith("the ") ? { field: "", message: `${field}: ${message}` } : problem;
  });
}

/** A value for a message, cut where it would flood it. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text, 80));
}
