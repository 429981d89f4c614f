/** The proto's enums and the words that stand for them inside. */
import type { Problem } from "../../core/errors.ts";
import type { Misfire as MisfireWord, Overlap as OverlapWord, Schedule } from "../../core/job.ts";
import type { RawJobSpec } from "../../core/spec/raw-job-spec.ts";
import { Fold, Gap, KeyLife, KeyReuse, Misfire, Overlap } from "../../gen/elasticjob/v1/job_pb.ts";

type KeyLifeWord = NonNullable<RawJobSpec["keyLife"]>;
type KeyReuseWord = NonNullable<RawJobSpec["keyReuse"]>;
type Daily = Extract<Schedule, { kind: "daily" }>;

const MISFIRES = { once: Misfire.ONCE, skip: Misfire.SKIP, all: Misfire.ALL } as const;
const OVERLAPS = { wait: Overlap.WAIT, skip: Overlap.SKIP, allow: Overlap.ALLOW } as const;
const KEY_LIVES = { kept: KeyLife.KEPT, unfinished: KeyLife.UNFINISHED } as const;
const KEY_REUSES = { same_body: KeyReuse.SAME_BODY, any_body: KeyReuse.ANY_BODY } as const;
const GAPS = { run_after: Gap.RUN_AFTER, skip: Gap.SKIP } as const;
const FOLDS = { first: Fold.FIRST, last: Fold.LAST, both: Fold.BOTH } as const;

export function misfireFromEnum(value: Misfire, problems: Problem[]): MisfireWord | undefined {
  return wordFor("misfire", MISFIRES, value, problems);
}
export function overlapFromEnum(value: Overlap, problems: Problem[]): OverlapWord | undefined {
  return wordFor("overlap", OVERLAPS, value, problems);
}
export function keyLifeFromEnum(value: KeyLife, problems: Problem[]): KeyLifeWord | undefined {
  return wordFor("keyLife", KEY_LIVES, value, problems);
}
export function keyReuseFromEnum(value: KeyReuse, problems: Problem[]): KeyReuseWord | undefined {
  return wordFor("keyReuse", KEY_REUSES, value, problems);
}
export function gapFromEnum(value: Gap, problems: Problem[]): Daily["gap"] | undefined {
  return wordFor("daily.gap", GAPS, value, problems);
}
export function foldFromEnum(value: Fold, problems: Problem[]): Daily["fold"] | undefined {
  return wordFor("daily.fold", FOLDS, value, problems);
}

export const misfireToEnum = (word: MisfireWord): Misfire => MISFIRES[word];
export const overlapToEnum = (word: OverlapWord): Overlap => OVERLAPS[word];
export const keyLifeToEnum = (word: KeyLifeWord): KeyLife => KEY_LIVES[word];
export const gapToEnum = (word: Daily["gap"]): Gap => GAPS[word];
export const foldToEnum = (word: Daily["fold"]): Fold => FOLDS[word];

/** Undefined: unspecified, or (in binary requests) a number that this version does not know. */
function wordFor<Word extends string>(
  field: string,
  numbers: Readonly<Record<Word, number>>,
  value: number,
  problems: Problem[],
): Word | undefined {
  if (value === 0) return undefined;
  const words = Object.keys(numbers) as Word[];
  const word = words.find((candidate) => numbers[candidate] === value);
  if (word === undefined) {
    const accepted = words.map((known) => `${numbers[known]} (${known})`).join(", ");
    problems.push({ field, message: `is ${value}; ${accepted} are accepted` });
  }
  return word;
}
