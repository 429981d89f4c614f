/**
 * Every end that is not a success is one line: of whoever wrote its row, be it the node that had the claim, or the master
 * where it ended the claim itself. A row that came second ended nothing, and leaves none.
 */
import type { Clock } from "../clock.ts";
import { OUTCOME, type Outcome, type ResultRecord } from "../job.ts";
import type { Logger } from "../logger.ts";
import { shorten } from "../short-text.ts";
import { CountedLines } from "./counted-lines.ts";

const MOST_ERROR_CHARACTERS = 500;

const NAME_OF = {
  [OUTCOME.SUCCEEDED]: "SUCCEEDED",
  [OUTCOME.FAILED]: "FAILED",
  [OUTCOME.TIMED_OUT]: "TIMED_OUT",
  [OUTCOME.CANCELLED]: "CANCELLED",
  [OUTCOME.LOST]: "LOST",
  [OUTCOME.SKIPPED]: "SKIPPED",
} as const satisfies Record<Outcome, string>;

export interface End {
  readonly row: ResultRecord;
  readonly name: string;
  readonly handler: string;
  /** The name of the node that had the claim; empty: nobody had it. */
  readonly node: string;
  readonly epoch: number;
  /** Why the occurrence is not tried again; empty: it is, or its outcome says so. */
  readonly whyOver: string;
}

export class EndLog {
  private readonly lines: CountedLines;

  constructor(parts: { readonly logger: Logger; readonly clock: Clock }) {
    this.lines = new CountedLines(parts);
  }

  say({ row, name, handler, node, epoch, whyOver }: End): void {
    const { outcome, jobId, claim, attempt, retryAt } = row;
    if (outcome === OUTCOME.SUCCEEDED) return;
    const isOver = retryAt === null;
    this.lines.write({
      level: levelOf(outcome, isOver),
      message: isOver
        ? "an occurrence has ended without success"
        : "an attempt has ended without success; it is tried again",
      jobId,
      kind: { handler, outcome: NAME_OF[outcome], error: errorOf(row) },
      fields: {
        name,
        claim,
        attempt,
        node,
        epoch,
        ...(isOver ? {} : { retryAt: new Date(retryAt).toISOString() }),
        ...(whyOver === "" ? {} : { notTriedAgain: whyOver }),
        ...(row.skippedCount > 1 ? { occurrences: row.skippedCount } : {}),
      },
    });
  }

  /** Says what it has counted. */
  close(): void {
    this.lines.close();
  }
}

/** What a caller asked for is no trouble; what was skipped failed nowhere. */
function levelOf(outcome: Outcome, isOver: boolean): "info" | "warn" | "error" {
  if (outcome === OUTCOME.CANCELLED) return "info";
  return isOver && outcome !== OUTCOME.SKIPPED ? "error" : "warn";
}

function errorOf({ outcome, error, reason }: ResultRecord): string {
  if (error !== null) return shorten(`${error.name}: ${error.message}`, MOST_ERROR_CHARACTERS);
  return reason === "" && outcome === OUTCOME.TIMED_OUT ? "the attempt has timed out" : reason;
}
