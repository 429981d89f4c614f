import { InvalidArgumentError } from "commander";
import type { Duration } from "../client/job-json.ts";
import { instantProblem, NO_INSTANT } from "../core/calendar/rfc3339.ts";
import { DURATION_EXAMPLES, protoDurationOfText } from "../core/duration-text.ts";
import { quote } from "../core/errors.ts";
import type { Range } from "../core/spec/field-ranges.ts";

/** `500ms`, `10s`, `1.5h`, `1h30m` as protobuf writes it. */
export function parseDuration(text: string): Duration {
  const duration = protoDurationOfText(text);
  if (duration !== null) return duration;
  throw new InvalidArgumentError(`${quote(text)} is no duration; write for example ${DURATION_EXAMPLES}.`);
}

export function parseInstant(text: string): string {
  const problem = instantProblem(text);
  if (problem === null) return Temporal.Instant.from(text).toString();
  throw new InvalidArgumentError(
    `${quote(text)} is no instant${problem === NO_INSTANT ? "" : `, ${problem}`}; write for example 2030-01-01T08:00:00Z or 2030-01-01T08:00:00+08:00.`,
  );
}

/** The same text, if it is JSON. */
export function checkJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`it is no JSON: ${error instanceof Error ? error.message : error}.`);
  }
}

const MAX_INT32 = 2_147_483_647;

/** Makes a parser of numbers in a range. */
function parserOf(written: RegExp, what: string): (range: Range) => (text: string) => number {
  return ({ least, most }) =>
    (text) => {
      const value = written.test(text) ? Number(text) : Number.NaN;
      if (value >= least && value <= most) return value;
      throw new InvalidArgumentError(`${what} from ${least} to ${most} is accepted.`);
    };
}

export const wholeWithin = parserOf(/^-?\d{1,15}$/, "A whole number");
export const numberWithin = parserOf(/^\d{1,9}(?:\.\d{1,9})?$/, "A number");

export const parsePositive = wholeWithin({ least: 1, most: MAX_INT32 });

/** Collects `--label gpu=true --label zone=a`. */
export function parseLabel(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`${quote(text)} is no label; write name=value.`);
  const name = text.slice(0, at);
  if (Object.hasOwn(before, name)) {
    throw new InvalidArgumentError(`${quote(name)} is given twice; a label is accepted once.`);
  }
  return { ...before, [name]: text.slice(at + 1) };
}
