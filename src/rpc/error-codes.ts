import { Code, ConnectError } from "@connectrpc/connect";
import { NOT_RUN, RETRY_AFTER, RETRY_AFTER_MS } from "../core/call-headers.ts";
import { ElasticJobError, type ErrorCode } from "../core/errors.ts";
import { problemDetails, problemsIn, retryDetails } from "./error-details.ts";

/** The one table between the project's error codes and Connect's. */
const CONNECT_CODES = {
  invalid_argument: Code.InvalidArgument,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  failed_precondition: Code.FailedPrecondition,
  resource_exhausted: Code.ResourceExhausted,
  unauthenticated: Code.Unauthenticated,
  unavailable: Code.Unavailable,
  // That a mastership ended is our own business; callers only need to know that trying again helps.
  stale_epoch: Code.Unavailable,
  key_taken: Code.Unavailable,
  internal: Code.Internal,
} as const satisfies Record<ErrorCode, Code>;

/** About as long as a failover takes to get going; a caller that waits less only adds load. */
const RETRY_HINT_MS = 500;

export function toConnectError(error: ElasticJobError): ConnectError {
  const code = CONNECT_CODES[error.code];
  const isForNow = code === Code.Unavailable;
  const metadata = isForNow ? { [RETRY_AFTER_MS]: String(RETRY_HINT_MS) } : {};
  const made = new ConnectError(error.message, code, metadata, undefined, error);
  made.details = isForNow ? retryDetails(RETRY_HINT_MS) : problemDetails(error.problems);
  return made;
}

/** `unavailable`, and certain that nothing was done: the caller may safely try elsewhere. */
export function notRun(message: string): ConnectError {
  const error = toConnectError(new ElasticJobError("unavailable", message));
  error.metadata.set(NOT_RUN, "1");
  return error;
}

/** In HTTP's seconds and in milliseconds: what is full now has room again when calls have ended. */
const TRY_LATER_MS = 1_000;
const TRY_LATER_HEADERS = {
  [RETRY_AFTER]: String(TRY_LATER_MS / 1_000),
  [RETRY_AFTER_MS]: String(TRY_LATER_MS),
};

/** `resource_exhausted`: nothing was done, and there will be room for it in a moment. */
export function tryLater(message: string): ConnectError {
  const error = new ConnectError(message, Code.ResourceExhausted, TRY_LATER_HEADERS);
  error.details = retryDetails(TRY_LATER_MS);
  return error;
}

/** The same error as the other node answered, made ours so that it goes out whole. */
export function fromWireError(error: ConnectError): ElasticJobError | ConnectError {
  if (error.code === Code.ResourceExhausted && error.metadata.has(RETRY_AFTER_MS)) {
    return tryLater(error.rawMessage);
  }
  for (const [code, connectCode] of Object.entries(CONNECT_CODES)) {
    if (connectCode !== error.code) continue;
    return new ElasticJobError(code as ErrorCode, error.rawMessage, { problems: problemsIn(error) });
  }
  return new ConnectError(error.rawMessage, error.code);
}

/** As Connect spells a code, from an outcome on the wire; anything unknown is internal. */
export function errorCodeOf(text: string): ErrorCode {
  return text in CONNECT_CODES ? (text as ErrorCode) : "internal";
}

/** The code of an item of an AddJobs call, as Connect spells it. */
export function codeText(error: ElasticJobError): string {
  return CONNECT_CODES[error.code] === Code.Unavailable ? "unavailable" : error.code;
}
