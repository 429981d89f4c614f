/** Which stretch of time with one UTC offset an instant is in, by a zone's recorded changes and the rule after them. */
import { type Change, changesIn } from "./posix-rule.ts";
import type { ZoneRules } from "./tzif.ts";

export interface ZoneSegment {
  /** First instant; -Infinity: no change of the clocks before it. */
  readonly start: number;
  /** First instant after it; Infinity: no change of the clocks after it. */
  readonly end: number;
  readonly offsetMs: number;
  /** Offset just before `start`. Smaller than `offsetMs`: the segment starts with a gap; larger: with a fold. */
  readonly offsetBeforeMs: number;
  /** Offset from `end` on. */
  readonly offsetAfterMs: number;
}

export function rulesSegment(rules: ZoneRules, instant: number): ZoneSegment {
  const lastAt = rules.changes.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  // The last recorded offset may last until a change by the rule.
  const near = rules.rule === null || instant < lastAt ? rules.changes : ruledChanges(rules, instant);
  const after = firstAfter(near, instant);
  const next = near[after];
  const start = near[after - 1];
  const offsetMs = start?.offsetMs ?? rules.firstOffsetMs;
  return {
    start: start?.at ?? Number.NEGATIVE_INFINITY,
    end: next?.at ?? Number.POSITIVE_INFINITY,
    offsetMs,
    offsetBeforeMs: near[after - 2]?.offsetMs ?? (start === undefined ? offsetMs : rules.firstOffsetMs),
    offsetAfterMs: next?.offsetMs ?? offsetMs,
  };
}

/** The last two recorded changes, and those by the rule around an instant after them. */
function ruledChanges(rules: ZoneRules, instant: number): readonly Change[] {
  const recorded = rules.changes.slice(-2);
  const from = rules.ruleFrom;
  const year = new Date(Math.max(instant, from)).getUTCFullYear();
  const found: Change[] = [...recorded];
  let offsetMs = recorded.at(-1)?.offsetMs ?? rules.firstOffsetMs;
  for (let looked = year - 2; rules.rule !== null && looked <= year + 2; looked++) {
    for (const change of changesIn(looked, rules.rule)) {
      if (change.at <= from) continue;
      // A summer that ends when the next one begins never ends.
      if (found.at(-1)?.at === change.at) found.pop();
      offsetMs = found.at(-1)?.offsetMs ?? offsetMs;
      if (change.offsetMs !== offsetMs) found.push(change);
    }
  }
  // What follows the last of them is not looked at: it may undo it.
  return found.filter(({ at }) => at < Date.UTC(year + 2, 6));
}

/** The place of the first change after an instant. */
function firstAfter(changes: readonly Change[], instant: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((changes[middle]?.at ?? 0) <= instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
