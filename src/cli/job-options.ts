/** The options that say what a job is, for the commands that add and change jobs. */
import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Duration } from "../client/job-json.ts";
import { ElasticJobError } from "../core/errors.ts";
import { decodeUtf8 } from "../core/json/utf8.ts";
import { FIELD_RANGES } from "../core/spec/field-ranges.ts";
import {
  checkJson,
  numberWithin,
  parseDuration,
  parseInstant,
  parseLabel,
  parsePositive,
  wholeWithin,
} from "./option-values.ts";
import { addScheduleOptions, type ScheduleOptions, scheduleFields } from "./schedule-options.ts";

const OVERLAPS = { wait: "OVERLAP_WAIT", skip: "OVERLAP_SKIP", allow: "OVERLAP_ALLOW" } as const;
const MISFIRES = { once: "MISFIRE_ONCE", skip: "MISFIRE_SKIP", all: "MISFIRE_ALL" } as const;

export const ALLOW_UNKNOWN_HANDLER = "accept it though no node has ever offered the handler";

export interface JobOptions extends ScheduleOptions {
  /** JSON text. */
  readonly payload?: string;
  readonly name?: string;
  readonly startAt?: string;
  readonly endAt?: string;
  readonly maxOccurrences?: number;
  readonly jitter?: Duration;
  readonly misfire?: keyof typeof MISFIRES;
  readonly overlap?: keyof typeof OVERLAPS;
  readonly deadline?: Duration;
  readonly priority?: number;
  readonly timeout?: Duration;
  readonly maxAttempts?: number;
  readonly backoff?: Duration;
  readonly maxBackoff?: Duration;
  readonly multiplier?: number;
  readonly slots?: number;
  readonly memory?: number;
  readonly label?: Record<string, string>;
}

export function addJobOptions(command: Command): Command {
  const option = (flags: string, description: string) => new Option(flags, description);
  command
    .addOption(
      option("--payload <json>", "any JSON value, or @file (@- for stdin) that holds it").argParser(
        parsePayload,
      ),
    )
    .option("--name <name>", "what people call it (default: the handler's name)");
  addScheduleOptions(command);
  for (const each of [
    option("--start-at <instant>", "no occurrence before").argParser(parseInstant),
    option("--end-at <instant>", "no occurrence after").argParser(parseInstant),
    option("--max-occurrences <number>", "no more occurrences than this").argParser(
      wholeWithin(FIELD_RANGES.maxOccurrences),
    ),
    option("--jitter <duration>", "start each occurrence up to so much later, to spread the load").argParser(
      parseDuration,
    ),
    option("--misfire <rule>", "of occurrences missed while nothing ran, run").choices(Object.keys(MISFIRES)),
    option("--overlap <rule>", "when an occurrence falls due while the last one runs").choices(
      Object.keys(OVERLAPS),
    ),
    option("--deadline <duration>", "skip what could not start so long after its time").argParser(
      parseDuration,
    ),
    option("--priority <number>", "-100 to 100; higher is given out first").argParser(
      wholeWithin(FIELD_RANGES.priority),
    ),
    option("--timeout <duration>", "how long an attempt may take").argParser(parseDuration),
    option("--max-attempts <number>", "fail after so many (default: until it succeeds)").argParser(
      parsePositive,
    ),
    option("--backoff <duration>", "wait after the first failure (default: 1s)").argParser(parseDuration),
    option("--max-backoff <duration>", "longest wait after a failure (default: 100s)").argParser(
      parseDuration,
    ),
    option("--multiplier <number>", "by what each wait is longer, 1 to 100 (default: 2)").argParser(
      numberWithin(FIELD_RANGES.multiplier),
    ),
    option("--slots <number>", "how many of a node's slots it takes (default: 1)").argParser(parsePositive),
    option("--memory <MiB>", "how much free memory a node must have").argParser(
      wholeWithin(FIELD_RANGES.memoryMb),
    ),
    option("--label <name=value>", "what a node must carry; may be repeated").argParser(parseLabel),
  ]) {
    command.addOption(each);
  }
  return command;
}

/** The fields of the API that the options name, and no others. */
export function jobFields(options: JobOptions) {
  const {
    payload: payloadJson,
    name,
    startAt,
    endAt,
    maxOccurrences,
    jitter,
    misfire,
    overlap,
    deadline,
  } = options;
  const { priority, timeout } = options;
  const retry = given({
    maxAttempts: options.maxAttempts,
    initialBackoff: options.backoff,
    maxBackoff: options.maxBackoff,
    multiplier: options.multiplier,
  });
  const requirements = given({ slots: options.slots, memoryMb: options.memory, labels: options.label });
  return {
    ...given({ payloadJson, name, startAt, endAt, maxOccurrences, jitter, deadline, priority, timeout }),
    ...scheduleFields(options),
    ...(misfire !== undefined && { misfire: MISFIRES[misfire] }),
    ...(overlap !== undefined && { overlap: OVERLAPS[overlap] }),
    ...(Object.keys(retry).length > 0 && { retry }),
    ...(Object.keys(requirements).length > 0 && { requirements }),
  };
}

type Given<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> };

function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** As text, which keeps each digit. */
function parsePayload(text: string): string {
  return checkJson(text.startsWith("@") ? readText(text.slice(1)) : text);
}

function readText(file: string): string {
  try {
    return decodeUtf8(readFileSync(file === "-" ? 0 : file), file === "-" ? "stdin" : file).trim();
  } catch (error) {
    const { message } = error instanceof Error ? error : { message: String(error) };
    const isRead = error instanceof ElasticJobError;
    throw new InvalidArgumentError(isRead ? `${message}.` : `${file} can't be read: ${message}.`);
  }
}
