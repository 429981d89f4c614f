import { InvalidArgumentError } from "commander";
import type { Duration } from "../client/job-json.ts";
import { instantProblem } from "../core/calendar/rfc3339.ts";
import { DURATION_EXAMPLES, protoDurationOfText } from "../core/duration-text.ts";
import { quote } from "../core/errors.ts";

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
    `${quote(text)} is no instant, ${problem}; write for example 2030-01-01T08:00:00Z or 2030-01-01T08:00:00+08:00.`,
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

export function parseWhole(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError(`${quote(text)} is no whole number.`);
  return Number(text);
}

export function parsePositive(text: string): number {
  const value = parseWhole(text);
  if (value < 1) throw new InvalidArgumentError(`${quote(text)} is less than 1.`);
  return value;
}

export function parseNumber(text: string): number {
  if (!/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError(`${quote(text)} is no number.`);
  return Number(text);
}

/** Collects `--label gpu=true --label zone=a`. */
export function parseLabel(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`${quote(text)} is no label; write name=value.`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
