/**
 * How a cluster that lives for years keeps time. Its lock and its leases are long, so that keeping them takes a few
 * steps an hour, and what only looks whether there is something to do waits for what matters.
 */
import type { Pace } from "../../src/testing/simulated-node.ts";

const HOUR_MS = 3_600_000;

/**
 * The waits of loops that look for something to do: see each `sleep` in src/master and src/node.
 *
 * None of those that keep a lease or a lock, or end one: they would come late by as much as the night is quiet. Pings
 * that wait for longer than the lease let all nodes lapse at once, in the moment in which their master looks for silent
 * ones: it would give their jobs to others while handlers that ignore their abort still have their grace, which
 * the margin is there to cover (`LEASE_MARGIN_MS`).
 */
const POLLS: ReadonlySet<number> = new Set([100, 250, 1000, 30_000, 60_000]);

export const YEARS_PACE: Pace = {
  // Shorter than the lease, as the settings demand: a master whom nothing has reached for a lease has no trust left.
  lockTtlMs: 4 * HOUR_MS,
  leaseMs: 5 * HOUR_MS,
  horizonMs: 48 * HOUR_MS,
  // `sleep` alone passes a function of this name; a timer for the next due job can have any length.
  isPoll: (ms, { name }) => name === "done" && POLLS.has(ms),
};
