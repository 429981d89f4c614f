/**
 * How the three time limits of the cluster fit together, all on monotonic clocks.
 *
 * A node counts its lease from when it sent the ping that an answer echoes, so from before the
 * master took that ping; the master counts from receipt and adds a margin. Hence a node has always
 * given up its claims before the master gives them to others.
 */

/**
 * What the master adds to a node's lease: rates of clocks that differ, and the time that an abort takes
 * (500 ms for the handler, then its thread is killed). Under a second, so that what ran on a node that
 * went silent starts again within its lease and a second.
 */
export const LEASE_MARGIN_MS = 800;

/** What a lock's trust ends earlier than its TTL: the lock's server counts from later than we do, at its own rate. */
const TRUST_MARGIN_MS = 200;

/** Until when a master may act, after a renewal that it began at `attemptStarted` has been confirmed. */
export function trustUntil(attemptStarted: number, lockTtlMs: number): number {
  return attemptStarted + lockTtlMs - Math.min(TRUST_MARGIN_MS, lockTtlMs / 4);
}

/** Until when a node may run without word from a master, after the answer to a ping that it sent at `pingSentAt`. */
export function leaseUntil(pingSentAt: number, leaseMs: number): number {
  return pingSentAt + leaseMs;
}

/** When the master takes a node that it last heard at `heardAt` for gone. */
export function goneAt(heardAt: number, leaseMs: number): number {
  return heardAt + leaseMs + LEASE_MARGIN_MS;
}

/**
 * When a new master may declare claims of a node that it has not heard LOST: the old master may have
 * answered that node's ping until its trust ended.
 */
export function takeoverAt(epochWrittenAt: number, leaseMs: number, lockTtlMs: number): number {
  return epochWrittenAt + leaseMs + lockTtlMs + LEASE_MARGIN_MS;
}
