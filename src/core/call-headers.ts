/** The headers of calls that clients, the edge and nodes have to spell alike. */

/** Names the caller's try of a call, so that trying again is safe for an hour. */
export const IDEMPOTENCY_KEY = "idempotency-key";
/** Marks a call that a node forwarded, with the incarnation of that node: it is never forwarded again. */
export const FORWARDED = "elastic-job-forwarded";
/** On a call that a node forwarded: who made it, as that node knows him. */
export const CALLER = "elastic-job-caller";
/** On a call that an edge passes on: where its caller's connection came from. Anybody can send it, and it is taken as said. */
export const FORWARDED_FOR = "elastic-job-forwarded-for";
/** On a call that a node forwarded: its key is that node's own, for its retries. No other call comes under it. */
export const OWN_KEY = "elastic-job-own-key";
/** On an error: how long to wait before trying again. */
export const RETRY_AFTER_MS = "retry-after-ms";
/** HTTP's own of the same meaning, in seconds. */
export const RETRY_AFTER = "retry-after";
/** On an error: nothing of the call was done, so that it may be tried again, or elsewhere, whatever it was. */
export const NOT_RUN = "elastic-job-not-run";
