/** What the handlers of `effect-handlers.ts` have done, by their own account. */
import { existsSync, readFileSync } from "node:fs";

export interface Effect {
  readonly event: "start" | "end" | "failed";
  readonly jobId: number;
  readonly claim: number;
  readonly attempt: number;
  /** Epoch milliseconds, as is `at`. */
  readonly scheduledAt: number;
  readonly node: string;
  readonly pid: number;
  readonly at: number;
}

export function readEffects(path: string): Effect[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  // After the last line break there is nothing, or the beginning of a line whose process was killed.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Effect);
}
