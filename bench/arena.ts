/**
 * A contender at work: its processes on fresh stores. Workloads use nothing else, so that all
 * contenders do the same.
 */
import type { Child } from "./child-process.ts";
import type { ContenderName } from "./contender.ts";

export interface Arena {
  readonly name: ContenderName;
  /** The one process that adds. */
  readonly adder: Child;
  /** Starts worker processes; returns when they take jobs. */
  startWorkers(count: number): Promise<void>;
  /** Waits until every job has ended in the store. Epoch milliseconds at which that was so. */
  untilDone(): Promise<number>;
  /** When the first job started, of those since the workers were started. */
  beganAt(): Promise<number>;
  /** How late stamped jobs started. */
  takeStamps(): Promise<number[]>;
  /** Process ids, by what they are. */
  pids(): Readonly<Record<string, readonly number[]>>;
  /** Throws unless the store holds what `adds` acknowledged jobs must have left. Says what it saw. */
  verify(adds: number): Promise<string>;
  close(): Promise<void>;
}

/** No workload of the quick sizes comes near it. */
export const DONE_LIMIT_MS = 600_000;
