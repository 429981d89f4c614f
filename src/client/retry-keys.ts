/**
 * The keys that make it safe to try adds again. Calls that follow each other share one, for it costs the cluster as much
 * as several jobs; for a moment only, as the jobs of a key are listed together.
 */
import type { KeyPart } from "../gen/elasticjob/v1/job_service_pb.ts";

const LIFE_MS = 1_000;
/** A call may have no more. */
const MOST_JOBS = 10_000;
const FEW_JOBS = 1_000;

export interface KeyOfCall {
  readonly key: string;
  readonly part: KeyPart | undefined;
}

/** Tells the tries of one call from another call. */
export function newCallKey(): string {
  return crypto.randomUUID();
}

export class RetryKeys {
  private key = "";
  /** How many jobs the key is for. */
  private jobs = 0;
  private next = 0;
  private until = 0;

  /** Gives the key for a call of so many jobs; all tries of the call use it. */
  take(count: number): KeyOfCall {
    // These are too many, and the cluster says so.
    if (count > MOST_JOBS) return { key: newCallKey(), part: undefined };
    const now = performance.now();
    if (now >= this.until || this.next + count > this.jobs) {
      // Used up before its time: the next one is for more.
      this.jobs = now < this.until || count > FEW_JOBS ? MOST_JOBS : FEW_JOBS;
      this.key = newCallKey();
      this.next = 0;
      this.until = now + LIFE_MS;
    }
    const part: KeyPart = { $typeName: "elasticjob.v1.KeyPart", jobs: this.jobs, first: this.next };
    this.next += count;
    return { key: this.key, part };
  }
}
