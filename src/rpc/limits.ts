/** Bounds of what the port takes in and gives out. */
export interface RpcLimits {
  /** Of one job's payload, as JSON text; checked by the domain, which names the field. */
  readonly maxPayloadBytes: number;
  /** Of one AddJobs call, inflated. Also what a stream between nodes may carry in one message. */
  readonly maxCallBytes: number;
  /** What all calls under way may take of the heap, as `rpc/server/call-budget.ts` estimates it. */
  readonly budgetBytes: number;
  /** Calls that last, WatchJob and StreamAddJobs, at once. */
  readonly maxStreams: number;
  /** Requests of which not all has come yet, and connections without a request, at once. */
  readonly maxHalfOpen: number;
  /** How long a request, other than a stream, may take to come as a whole. */
  readonly requestMs: number;
  /** Calls on one HTTP/2 connection at once, of callers that are not nodes. */
  readonly maxStreamsAConnection: number;
  /** How long a connection may stay silent before its first bytes, and its first request. */
  readonly sniffMs: number;
  /** The longest deadline that a caller may ask for; a longer one is refused. */
  readonly maxTimeoutMs: number;
  /** How long a call without a deadline waits for a master. */
  readonly defaultWaitMs: number;
  /** The longest that any call waits for a master, and for a forwarded answer. */
  readonly maxWaitMs: number;
  /** How much may wait for a reader on one stream before it is cut off. */
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
}

const MIB = 1024 * 1024;

/** Of a process with all the memory that makes a difference. */
export const DEFAULT_LIMITS: RpcLimits = {
  maxPayloadBytes: MIB,
  maxCallBytes: 64 * MIB,
  budgetBytes: 1024 * MIB,
  maxStreams: 10_000,
  maxHalfOpen: 2_000,
  requestMs: 10_000,
  maxStreamsAConnection: 1_000,
  sniffMs: 10_000,
  maxTimeoutMs: 24 * 60 * 60 * 1000,
  defaultWaitMs: 10_000,
  maxWaitMs: 60_000,
  maxQueuedBytes: 32 * 1024 * 1024,
  maxQueuedMessages: 10_000,
};

/** Ten times what a call takes that waits for its body, as a watch also holds what it is told. */
const STREAM_BYTES = 256 * 1024;
const HALF_OPEN_BYTES = 256 * 1024;

/**
 * The limits of a process that may take so much memory: a quarter of it for calls under way, and a 32nd for the largest
 * one. Nodes send each other batches of 4 MiB, and a single payload can have 3: so much is always accepted.
 */
export function limitsFor(memoryBytes: number): RpcLimits {
  const bound = (value: number, least: number, most: number) =>
    Math.floor(Math.min(most, Math.max(least, value)));
  return {
    ...DEFAULT_LIMITS,
    maxCallBytes: bound(memoryBytes / 32, 8 * MIB, DEFAULT_LIMITS.maxCallBytes),
    budgetBytes: bound(memoryBytes / 4, 64 * MIB, DEFAULT_LIMITS.budgetBytes),
    maxStreams: bound(memoryBytes / 4 / STREAM_BYTES, 100, DEFAULT_LIMITS.maxStreams),
    maxHalfOpen: bound(memoryBytes / 4 / HALF_OPEN_BYTES, 100, DEFAULT_LIMITS.maxHalfOpen),
  };
}

/**
 * What a call about a single job may carry. Far above the payload's own limit, so that the refusal of
 * a payload that is too large comes from the domain and names the field; a binary `Value` can also be
 * eleven times as long as its JSON text (a list of one-digit numbers).
 */
export function maxJobBytes(limits: RpcLimits): number {
  return Math.min(limits.maxCallBytes, limits.maxPayloadBytes * 12 + 64 * 1024);
}
