import { Code, ConnectError } from "@connectrpc/connect";
import { NOT_RUN, RETRY_AFTER, RETRY_AFTER_MS } from "../core/call-headers.ts";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/**
 * No answer came at all: refused, reset, cut off. `fetch` reports that as a TypeError, whatever the cause;
 * a call on a connection over HTTP/2 that is lost ends as aborted or cancelled, though nobody did.
 */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof ConnectError) || error.isWireError) return false;
  if (error.code === Code.Aborted || error.code === Code.Canceled) return true;
  return error.cause instanceof TypeError || (error.code === Code.Unavailable && error.cause !== undefined);
}

export function isUnavailable(error: unknown): boolean {
  return (
    isUnreachable(error) ||
    isTryLater(error) ||
    (error instanceof ConnectError && error.code === Code.Unavailable)
  );
}

export function isNotRun(error: unknown): boolean {
  return (error instanceof ConnectError && error.metadata.has(NOT_RUN)) || isTryLater(error);
}

/** The server is full, did nothing, and says when to come again. */
function isTryLater(error: unknown): boolean {
  return (
    error instanceof ConnectError &&
    error.code === Code.ResourceExhausted &&
    error.metadata.has(RETRY_AFTER_MS)
  );
}

/** How long the server asked to wait, in milliseconds or as HTTP's `Retry-After` in seconds; 0: it did not say. */
export function retryHintMs(headers: Headers): number {
  const ms = Number(headers.get(RETRY_AFTER_MS) ?? Number.NaN);
  if (ms >= 0) return ms;
  const seconds = Number(headers.get(RETRY_AFTER) ?? Number.NaN);
  return seconds >= 0 ? seconds * 1_000 : 0;
}

/** Exponential, with full jitter on its upper half, so that callers who failed together do not return together. */
export function backoffMs(retry: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(retry, 10));
  return ceiling * (0.5 + random() / 2);
}

export interface RetryOptions {
  /** Ends everything: what is under way and the retries. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly retryable: (error: unknown) => boolean;
  readonly random: () => number;
}

/** Calls until it succeeds, fails for good, or the deadline would pass before the next try. */
export async function withRetries<T>(
  call: (timeoutMs: number, retry: number) => Promise<T>,
  { deadlineMs, signal, retryable, random }: RetryOptions,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (let retry = 0; ; retry++) {
    try {
      return await call(Math.max(1, Math.ceil(end - performance.now())), retry);
    } catch (error) {
      if (signal?.aborted || !retryable(error)) throw error;
      const waitMs = Math.max(backoffMs(retry, random), retryHintMs(ConnectError.from(error).metadata));
      if (performance.now() + waitMs >= end) throw error;
      await pause(waitMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
