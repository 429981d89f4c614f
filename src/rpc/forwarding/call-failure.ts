import { Code, ConnectError } from "@connectrpc/connect";
import { NOT_RUN } from "../../core/call-headers.ts";
import { ElasticJobError, isError } from "../../core/errors.ts";
import { fromWireError, notRun } from "../error-codes.ts";
import { strangerIn } from "../proof/ask-for-proof.ts";
import { linkProblemIn } from "./peer-link.ts";

/** What a failed call to the master means for trying again. */
export interface CallFailure {
  readonly error: unknown;
  /** The master went away, or was out of reach: whether the call was run is not known. */
  readonly unavailable: boolean;
  readonly certainlyNotRun: boolean;
  /** What kept a connection to the master from being made. */
  readonly link?: string;
  /** It ran out of time, which says nothing of why. */
  readonly isLate?: true;
  /** The connection broke before there was an answer: the call may be what broke the master. */
  readonly broke?: true;
}

/** The last of several tries, which was cut by the call's deadline, and what the one before it found. */
export function lateAfter({ error, isLate }: CallFailure, link: string): unknown {
  if (isLate !== true || !(error instanceof ConnectError)) return error;
  return new ConnectError(
    `the master did not answer in time: ${link}`,
    error.code,
    error.metadata,
    undefined,
    error,
  );
}

/** Of a call to the master in this process. */
export function localFailure(error: unknown): CallFailure {
  const unavailable = isError(error, "unavailable") || isError(error, "stale_epoch");
  return { error, unavailable, certainlyNotRun: false };
}

/** Of a call to the master at another node. */
export function forwardFailure(error: unknown): CallFailure {
  // The master answered, and this is what its answer says of a lone job.
  if (error instanceof ElasticJobError) return localFailure(error);
  if (!(error instanceof ConnectError)) return { error, unavailable: false, certainlyNotRun: false };
  const stranger = strangerIn(error);
  if (stranger !== null || (error.isWireError && error.code === Code.Unauthenticated)) {
    // Its caller has nothing to do with it, and may do better at another node: this one gets no further by waiting.
    const message = stranger ?? "the master does not take this node for one of its cluster";
    return { error: notRun(message), unavailable: false, certainlyNotRun: false };
  }
  if (error.metadata.has(NOT_RUN)) {
    const link = linkProblemIn(error);
    const failure = { error: notRun(error.rawMessage), unavailable: true, certainlyNotRun: true };
    return link === null ? failure : { ...failure, link };
  }
  if (error.isWireError) {
    return {
      error: fromWireError(error),
      unavailable: error.code === Code.Unavailable,
      certainlyNotRun: false,
    };
  }
  // Not an answer, but a broken way to it: connect-node has several codes for that.
  const refused = isRefused(error);
  const why =
    error.code === Code.DeadlineExceeded
      ? "did not answer in time"
      : `could not be reached (${error.rawMessage})`;
  const unavailable = notRun(`the master ${why}; try again`);
  if (!refused) unavailable.metadata.delete(NOT_RUN);
  const broke = !refused && error.code !== Code.DeadlineExceeded && { broke: true as const };
  const isLate = error.code === Code.DeadlineExceeded && { isLate: true as const };
  return { error: unavailable, unavailable: true, certainlyNotRun: refused, ...broke, ...isLate };
}

/** Whether nobody listens at the address: the one failure that proves that the call did not get through. */
export function isRefused(error: unknown): boolean {
  for (let depth = 0; error instanceof Error && depth < 10; depth++) {
    if ("code" in error && error.code === "ECONNREFUSED") return true;
    error = error.cause;
  }
  return false;
}
