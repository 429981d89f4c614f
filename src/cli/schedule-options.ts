/** The options that say when, for the commands that add, change and preview. */
import { type Command, Option } from "commander";
import type { Duration } from "../client/job-json.ts";
import { parseDuration, parseInstant } from "./option-values.ts";

const GAPS = { "run-after": "GAP_RUN_AFTER", skip: "GAP_SKIP" } as const;
const FOLDS = { first: "FOLD_FIRST", last: "FOLD_LAST", both: "FOLD_BOTH" } as const;

export interface ScheduleOptions {
  readonly at?: string;
  readonly in?: Duration;
  readonly daily?: string;
  readonly cron?: string;
  readonly every?: Duration;
  readonly anchor?: string;
  readonly zone?: string;
  readonly gap?: keyof typeof GAPS;
  readonly fold?: keyof typeof FOLDS;
}

export function addScheduleOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--at <instant>", "run once, then")
        .argParser(parseInstant)
        .conflicts(["in", "daily", "cron", "every", "zone"]),
    )
    .addOption(
      new Option("--in <duration>", "run once, so much later")
        .argParser(parseDuration)
        .conflicts(["daily", "cron", "every", "zone"]),
    )
    .addOption(new Option("--daily <HH:MM>", "run every day at this local time").conflicts(["cron", "every"]))
    .addOption(new Option("--cron <expression>", "run at these times").conflicts("every"))
    .addOption(
      new Option("--every <duration>", "run again and again, so far apart")
        .argParser(parseDuration)
        .conflicts("zone"),
    )
    .addOption(
      new Option("--anchor <instant>", "of --every: the first one (default: one --every from now)").argParser(
        parseInstant,
      ),
    )
    .option("--zone <zone>", "the IANA time zone of --daily and --cron (default: UTC)")
    .addOption(
      new Option("--gap <rule>", "of --daily: when the clocks skip that time").choices(Object.keys(GAPS)),
    )
    .addOption(
      new Option("--fold <rule>", "of --daily: when that time comes twice").choices(Object.keys(FOLDS)),
    );
}

/** What Commander's own rules can't say. */
export function checkScheduleOptions(command: Command, options: ScheduleOptions): void {
  const { zone, daily, cron, every, anchor, gap, fold } = options;
  if (zone !== undefined && daily === undefined && cron === undefined) {
    command.error("error: option '--zone <zone>' needs '--daily <HH:MM>' or '--cron <expression>'");
  }
  if (anchor !== undefined && every === undefined) {
    command.error("error: option '--anchor <instant>' needs '--every <duration>'");
  }
  if ((gap !== undefined || fold !== undefined) && daily === undefined) {
    command.error("error: options '--gap <rule>' and '--fold <rule>' need '--daily <HH:MM>'");
  }
}

export function scheduleFields(options: ScheduleOptions) {
  const { at, in: delay, daily, cron, every, anchor, zone, gap, fold } = options;
  const timeZone = zone === undefined ? {} : { timeZone: zone };
  return {
    ...(at !== undefined && { timed: { runAt: at } }),
    ...(delay !== undefined && { timed: { delay } }),
    ...(daily !== undefined && {
      daily: {
        at: daily,
        ...timeZone,
        ...(gap !== undefined && { gap: GAPS[gap] }),
        ...(fold !== undefined && { fold: FOLDS[fold] }),
      },
    }),
    ...(cron !== undefined && { cron: { expression: cron, ...timeZone } }),
    ...(every !== undefined && { interval: { every, ...(anchor !== undefined && { anchor }) } }),
  };
}
