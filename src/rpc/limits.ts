/** Bounds of what the port takes in and gives out. */
export interface RpcLimits {
  /** Of one job's payload, as JSON text; checked by the domain, which names the field. */
  readonly maxPayloadBytes: number;
  /** Of one AddJobs call. Also what a stream between nodes may carry in one message. */
  readonly maxCallBytes: number;
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

export const DEFAULT_LIMITS: RpcLimits = {
  maxPayloadBytes: 1024 * 1024,
  maxCallBytes: 64 * 1024 * 1024,
  sniffMs: 10_000,
  maxTimeoutMs: 24 * 60 * 60 * 1000,
  defaultWaitMs: 10_000,
  maxWaitMs: 60_000,
  maxQueuedBytes: 32 * 1024 * 1024,
  maxQueuedMessages: 10_000,
};

/**
 * What a call about a single job may carry. Far above the payload's own limit, so that the refusal of
 * a payload that is too large comes from the domain and names the field; a binary `Value` can also be
 * eleven times as long as its JSON text (a list of one-digit numbers).
 */
export function maxJobBytes(limits: RpcLimits): number {
  return Math.min(limits.maxCallBytes, limits.maxPayloadBytes * 12 + 64 * 1024);
}
