/**
 * What is compared. Each contender adds and works in processes of its own (`child.ts`), on servers
 * with durable settings; this file is what a contender has to say of itself.
 */

export const PEERS = ["bullmq", "graphile-worker", "pg-boss"] as const;
export type Peer = (typeof PEERS)[number];
/** `elastic-job-secure`: ours with a token, and TLS. */
export type ContenderName = Peer | "elastic-job" | "elastic-job-secure";

/** Where the servers of a run are. */
export interface Addresses {
  readonly postgres: string;
  readonly redis: string;
  /** A node of ours; "" for a peer. */
  readonly node: string;
  /** By what a node of ours is called that asks for it. */
  readonly secure?: { readonly token: string; readonly ca: string };
}

/** A job that does nothing, or, with `stamp`, says how long after that instant (epoch ms) it started. */
export interface NewJob {
  /** Epoch ms; absent: at once. */
  readonly dueAt?: number;
  readonly stamp?: number;
}

export interface Adder {
  /** Empties or creates the store. */
  prepare(): Promise<void>;
  add(job: NewJob): Promise<void>;
  addMany(jobs: readonly NewJob[]): Promise<void>;
  /** Jobs in the store that have not ended. */
  unfinished(): Promise<number>;
  close(): Promise<void>;
}

export interface Worker {
  close(): Promise<void>;
}

/** A peer's module exports these two. `started` is called when a job's handler starts. */
export interface PeerModule {
  openAdder(addresses: Addresses): Promise<Adder>;
  openWorker(addresses: Addresses, started: (job: NewJob) => void): Promise<Worker>;
}

/** How many jobs a worker process may run at once, for all contenders. */
export const CONCURRENCY = 100;

/** Wall clock with fractions of a millisecond, the same in all processes of a machine. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
