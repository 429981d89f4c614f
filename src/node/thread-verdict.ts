/** Who is to blame for the end of a thread, and how what ran in it ends with it. */
import type { ExecutionEnd } from "./executors.ts";

/** Why a thread ends. */
export interface Verdict {
  readonly reason: string;
  /** null: nobody knows; empty: nobody is. */
  readonly culprits: ReadonlySet<number> | null;
  /** Whether the others are cleared by that. */
  readonly isSure: boolean;
  /** How a culprit ends. */
  readonly end: ExecutionEnd | null;
  /** It was blocked: a job whose time ran out meanwhile is not to blame for that. */
  readonly isBlocked: boolean;
}

export const NOT_KNOWN: Verdict = {
  reason: "its thread has died",
  culprits: null,
  isSure: false,
  end: null,
  isBlocked: false,
};

const OUT_OF_MEMORY: ExecutionEnd = {
  kind: "failed",
  error: {
    name: "OutOfMemoryError",
    message:
      "the handler took more memory than its thread may have (--max-old-space-size); its thread was ended",
  },
  isPermanent: false,
};

/**
 * Of an error that the thread's own code could not tell of. `culprit`: in whose code it was, if that is sure. One that took
 * all the memory has failed, as if it had thrown: it would do so again wherever it ran, and is no loss of the node's.
 */
export function verdictOnError(error: unknown, culprit: number | null): Verdict {
  const reason = `its thread has died: ${String(error)}`;
  if (culprit === null || !isOutOfMemory(error)) return { ...NOT_KNOWN, reason };
  return { reason, culprits: new Set([culprit]), isSure: true, end: OUT_OF_MEMORY, isBlocked: false };
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}

/** An execution's part in it. */
export type Part = "none" | "suspect" | "culprit";

/** What the thread never began to run is innocent. */
export function partIn({ culprits, isSure }: Verdict, key: number, hasBegun: boolean): Part {
  if (culprits?.has(key)) return "culprit";
  return isSure || !hasBegun ? "none" : "suspect";
}

/** How it ends. `isTimedOut`: its own time was up. */
export function endIn(verdict: Verdict, part: Part, isTimedOut: boolean): ExecutionEnd {
  const { reason, culprits, end, isBlocked } = verdict;
  if (part === "culprit") {
    if (isTimedOut) return { kind: "timed_out" };
    return end ?? { kind: "lost", reason, isBlameless: false };
  }
  if (isTimedOut && !isBlocked) return { kind: "timed_out" };
  if (culprits?.size === 0) return { kind: "lost", reason, isBlameless: true };
  if (culprits === null && part === "suspect") return { kind: "lost", reason, isBlameless: false };
  return { kind: "lost", reason: "another job has ended its thread", isBlameless: true };
}

/** Why a thread that has ended never took a job; `code`: its exit code. */
export function whyNotReady(code: number, verdict: Verdict | null, isSettingUp = false): string {
  // Node's code for a top-level await that nothing can end any more.
  if (code === 13) return isSettingUp ? "its setup never ends" : "it has a top-level await that never ends";
  return verdict?.reason ?? `its thread ended with code ${code}`;
}
