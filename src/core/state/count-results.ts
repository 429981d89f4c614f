/**
 * Finds the results that have enough newer ones of their kind. A scan goes through the results of each job from
 * the oldest to the newest, so what it has to remember of a job is as many as are kept: whatever the next one of
 * that kind pushes out has enough newer ones.
 */
import { KIND_OF_OUTCOME, type Kind, type ResultAge, type Retention, SHORTEST_AGE_MS } from "./retention.ts";

/** The rows of one claim: the one that counts, and those that came late. */
export interface ClaimAge extends ResultAge {
  /** Of the newest of its rows. */
  readonly lastEndTime: number;
}

interface Kept {
  readonly claims: ClaimAge[];
  /** How many have been taken in. */
  count: number;
}

export class ResultCounter {
  private readonly limits: Retention["resultsEach"];
  private jobId = 0;
  private claim = 0;
  private readonly kept = new Map<Kind, Kept>();

  constructor({ resultsEach }: Pick<Retention, "resultsEach">) {
    this.limits = resultsEach;
  }

  /** A scan begins anew. */
  restart(): void {
    this.jobId = 0;
    this.claim = 0;
    this.kept.clear();
  }

  /** Takes in the next claim of the scan. Returns the one that may go for it; null: none. */
  take(next: ClaimAge, now: number): ClaimAge | null {
    if (next.jobId !== this.jobId) {
      this.restart();
      this.jobId = next.jobId;
    }
    // A page that is read again after an error: none of it counts twice.
    if (next.claim <= this.claim) return null;
    this.claim = next.claim;
    const kind = KIND_OF_OUTCOME[next.outcome];
    const limit = this.limits[kind];
    if (limit === null) return null;
    const kept = this.kept.get(kind) ?? { claims: [], count: 0 };
    this.kept.set(kind, kept);
    const place = kept.count++ % limit;
    const pushedOut = kept.claims[place];
    kept.claims[place] = next;
    return pushedOut !== undefined && mayGo(pushedOut, now) ? pushedOut : null;
  }
}

/** What is too young, or shows how its job stands, is for a later scan. */
function mayGo({ claim, newestEnded, lastEndTime }: ClaimAge, now: number): boolean {
  return claim !== newestEnded && now - lastEndTime > SHORTEST_AGE_MS;
}
