/** Names the caller's try of a call, so that trying again is safe for an hour. */
export const IDEMPOTENCY_KEY = "idempotency-key";
/** Marks a call that a node forwarded: it is never forwarded again. */
export const FORWARDED = "elastic-job-forwarded";
/** On an error: how long to wait before trying again. */
export const RETRY_AFTER_MS = "retry-after-ms";
/** On an error: nothing of the call was done, so that trying it elsewhere is safe. */
export const NOT_RUN = "elastic-job-not-run";
