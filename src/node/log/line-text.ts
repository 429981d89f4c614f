/** The text and the fields of a line, as they are kept: without secrets, in a size that many lines can have, and never a reason to fail. */
import { inspect } from "node:util";
import { findFault } from "../../core/json/json-faults.ts";
import { MAX_VALUE_LEVELS } from "../../core/json/value-json.ts";
import { type LogLine, MOST_FIELDS_CHARACTERS, MOST_TEXT_CHARACTERS } from "../../core/log/log-line.ts";
import { CUT_MARK } from "../result-limits.ts";
import { NOTHING_KNOWN, type Scrubber } from "../scrubber.ts";

const SHOWN = {
  depth: 4,
  maxArrayLength: 50,
  maxStringLength: MOST_TEXT_CHARACTERS,
  breakLength: Number.POSITIVE_INFINITY,
} as const;

export function lineText(given: unknown, scrubber: Scrubber): string {
  return headOf(typeof given === "string" ? given : shown(given), MOST_TEXT_CHARACTERS, scrubber);
}

/** Null: there are none. */
export function lineFields(given: unknown, scrubber: Scrubber): string | null {
  if (given === undefined || given === null) return null;
  const fields = given instanceof Error ? { error: given } : given;
  const isNamed = typeof fields === "object" && !Array.isArray(fields) && !ArrayBuffer.isView(fields);
  const text = jsonOf(isNamed ? fields : { value: fields });
  const scrubbed = text === null ? null : scrubber.json(text);
  if (scrubbed !== null && scrubbed.length <= MOST_FIELDS_CHARACTERS) return scrubbed;
  // Escaped as JSON, the head can be longer than it is: half of the room is enough to see what it was.
  return JSON.stringify({ shown: headOf(shown(fields), MOST_FIELDS_CHARACTERS / 2, scrubber) });
}

/** Takes out what another scrubber did not know. The line was cut by then. */
export function scrubLine(line: LogLine, scrubber: Scrubber): LogLine {
  if (scrubber === NOTHING_KNOWN) return line;
  const wasCut = line.text.endsWith(CUT_MARK);
  const text = scrubber.text(wasCut ? line.text.slice(0, -CUT_MARK.length) : line.text);
  return {
    ...line,
    text: wasCut ? `${scrubber.cut(text)}${CUT_MARK}` : text,
    fields: line.fields === null ? null : scrubber.json(line.fields),
  };
}

function headOf(given: string, most: number, scrubber: Scrubber): string {
  const head = scrubber.head(given, most).toWellFormed();
  return given.length > most ? `${head}${CUT_MARK}` : head;
}

/** Null: JSON cannot carry it as an object that the API can answer with. */
function jsonOf(fields: object): string | null {
  try {
    const text = JSON.stringify(fields, (_, value: unknown) => plain(value));
    // It is cut in any case, and not looked through for that.
    if (text === undefined || text.length > MOST_FIELDS_CHARACTERS) return null;
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return isObject && findFault(parsed, MAX_VALUE_LEVELS, true) === null ? text : null;
  } catch {
    return null;
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  return typeof value === "bigint" ? String(value) : value;
}

/** What a value prints as. Its own code has a part in that. */
function shown(value: unknown): string {
  try {
    return inspect(value, SHOWN);
  } catch {
    return "(a value that cannot be shown)";
  }
}
