import { Code, ConnectError } from "@connectrpc/connect";
import { namesSilence } from "../core/readiness/silence.ts";
import type { WhyNotReady } from "../core/readiness/why-not-ready.ts";

/** The error of a call that ran out of time, or that nobody could answer, says why this node is not ready, if it is not. */
export function withReason(error: ConnectError, whyNotReady: WhyNotReady): ConnectError {
  if (error.code !== Code.DeadlineExceeded && error.code !== Code.Unavailable) return error;
  const { rawMessage, code, metadata, cause } = error;
  const message = messageWithReason(rawMessage, whyNotReady);
  if (message === rawMessage) return error;
  const told = new ConnectError(message, code, metadata, undefined, cause);
  told.details = error.details;
  return told;
}

export function messageWithReason(message: string, whyNotReady: WhyNotReady): string {
  // The master, which knows more, has said it already.
  const why = namesSilence(message) ? null : whyNotReady();
  // A call that could not be passed on has failed for the very reason.
  return why === null || message.includes(why) ? message : `${message} (${why})`;
}
