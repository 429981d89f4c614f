/** How far an attempt is, as its handler says. Only the latest counts, and nothing of it is stored. */
export interface Progress {
  /** 0 to 1. */
  readonly fraction: number;
  /** What it is at; empty: it does not say. */
  readonly text: string;
  /** Epoch milliseconds, by the clock of its node. */
  readonly at: number;
}

export const MOST_PROGRESS_CHARACTERS = 200;

/** The progress of a claim. */
export interface ClaimProgress extends Progress {
  readonly jobId: number;
  readonly claim: number;
}
