import { type Command, Option } from "commander";
import type { AddJobInput, Duration, Json } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printJson } from "./client-command.ts";
import { followJob, hasSucceeded } from "./follow-job.ts";
import { instantText, stateText } from "./job-text.ts";
import {
  parseDuration,
  parseInstant,
  parseJson,
  parseLabel,
  parsePositive,
  parseWhole,
} from "./option-values.ts";
import { EXIT_FAILED } from "./run-program.ts";

const OVERLAPS = { wait: "OVERLAP_WAIT", skip: "OVERLAP_SKIP", allow: "OVERLAP_ALLOW" } as const;
const KEY_LIVES = { kept: "KEY_LIFE_KEPT", unfinished: "KEY_LIFE_UNFINISHED" } as const;

interface AddOptions extends ClientCommandOptions {
  readonly payload?: Json;
  readonly name?: string;
  readonly at?: string;
  readonly in?: Duration;
  readonly daily?: string;
  readonly cron?: string;
  readonly zone?: string;
  readonly startAt?: string;
  readonly endAt?: string;
  readonly maxOccurrences?: number;
  readonly jitter?: Duration;
  readonly overlap?: keyof typeof OVERLAPS;
  readonly deadline?: Duration;
  readonly priority?: number;
  readonly timeout?: Duration;
  readonly maxAttempts?: number;
  readonly label?: Record<string, string>;
  readonly key?: string;
  readonly keyLife?: keyof typeof KEY_LIVES;
  readonly keyTtl?: Duration;
  readonly wait?: boolean;
}

const EXAMPLES = `
Examples:
  elastic-job add echo --payload '{"hello":"world"}' --wait
  elastic-job add echo --in 10s
  elastic-job add echo --at 2030-01-01T08:00:00Z --key happy-new-year
  elastic-job add echo --daily 08:30 --zone Asia/Shanghai --name good-morning
  elastic-job add echo --cron '*/5 * * * *' --max-attempts 3 --label gpu=true
  elastic-job add echo --cron '0 9 * * 1' --max-occurrences 10 --overlap skip --deadline 1h`;

export function addCommand(env: Environment): Command {
  return clientCommand(env, "add", "add a job; without a schedule it runs at once")
    .argument("<handler>", "the handler that is to run it")
    .addOption(new Option("--payload <json>", "any JSON value").argParser(parseJson))
    .option("--name <name>", "what people call it (default: the handler's name)")
    .addOption(
      new Option("--at <instant>", "run once, then")
        .argParser(parseInstant)
        .conflicts(["in", "daily", "cron", "zone"]),
    )
    .addOption(
      new Option("--in <duration>", "run once, so much later")
        .argParser(parseDuration)
        .conflicts(["daily", "cron", "zone"]),
    )
    .addOption(new Option("--daily <HH:MM>", "run every day at this local time").conflicts(["cron", "wait"]))
    .addOption(new Option("--cron <expression>", "run at these times").conflicts("wait"))
    .option("--zone <zone>", "the IANA time zone of --daily and --cron (default: UTC)")
    .addOption(new Option("--start-at <instant>", "no occurrence before").argParser(parseInstant))
    .addOption(new Option("--end-at <instant>", "no occurrence after").argParser(parseInstant))
    .addOption(
      new Option("--max-occurrences <number>", "no more occurrences than this").argParser(parsePositive),
    )
    .addOption(
      new Option(
        "--jitter <duration>",
        "start each occurrence up to so much later, to spread the load",
      ).argParser(parseDuration),
    )
    .addOption(
      new Option("--overlap <rule>", "when an occurrence falls due while the last one runs").choices(
        Object.keys(OVERLAPS),
      ),
    )
    .addOption(
      new Option("--deadline <duration>", "skip what could not start so long after its time").argParser(
        parseDuration,
      ),
    )
    .addOption(
      new Option("--priority <number>", "-100 to 100; higher is given out first").argParser(parseWhole),
    )
    .addOption(new Option("--timeout <duration>", "how long an attempt may take").argParser(parseDuration))
    .addOption(
      new Option("--max-attempts <number>", "fail after so many (default: until it succeeds)").argParser(
        parsePositive,
      ),
    )
    .addOption(
      new Option("--label <name=value>", "what a node must carry; may be repeated").argParser(parseLabel),
    )
    .option("--key <key>", "the same key adds the job only once")
    .addOption(
      new Option("--key-life <life>", "how long the key names the job (default: kept)")
        .choices(Object.keys(KEY_LIVES))
        .conflicts("keyTtl"),
    )
    .addOption(new Option("--key-ttl <duration>", "how long the key names the job").argParser(parseDuration))
    .option("--wait", "wait until it has ended; exit with 1 unless it succeeded")
    .addHelpText("after", EXAMPLES)
    .action(async (handler: string, options: AddOptions, command: Command) => {
      if (options.zone !== undefined && options.daily === undefined && options.cron === undefined) {
        command.error("error: option '--zone <zone>' needs '--daily <HH:MM>' or '--cron <expression>'");
      }
      await add(handler, options);
    });
}

async function add(handler: string, options: AddOptions): Promise<void> {
  const client = connect(options);
  const added = await client.addJob(jobOf(handler, options));
  if (!options.wait) {
    if (options.json) return printJson(added);
    const what = added.created ? "added" : "was there already, under the same key:";
    const when = added.nextRunAt === undefined ? "" : `, due ${instantText(added.nextRunAt)}`;
    return print(`${what} job ${added.jobId}${when}`);
  }
  const state = await followJob(client, added.jobId);
  if (!hasSucceeded(state)) process.exitCode = EXIT_FAILED;
  if (options.json) printJson(state);
  else print(state === null ? `job ${added.jobId} is gone` : stateText(state));
}

function jobOf(handler: string, options: AddOptions): AddJobInput {
  const { payload, name, at, daily, cron, zone, startAt, endAt, maxOccurrences, jitter } = options;
  const { overlap, deadline, priority, timeout, maxAttempts, label, key, keyLife, keyTtl } = options;
  const delay = options.in;
  const timeZone = zone === undefined ? {} : { timeZone: zone };
  return {
    handler,
    ...(payload !== undefined && { payload }),
    ...(name !== undefined && { name }),
    ...(at !== undefined && { timed: { runAt: at } }),
    ...(delay !== undefined && { timed: { delay } }),
    ...(daily !== undefined && { daily: { at: daily, ...timeZone } }),
    ...(cron !== undefined && { cron: { expression: cron, ...timeZone } }),
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
    ...(maxOccurrences !== undefined && { maxOccurrences }),
    ...(jitter !== undefined && { jitter }),
    ...(overlap !== undefined && { overlap: OVERLAPS[overlap] }),
    ...(deadline !== undefined && { deadline }),
    ...(priority !== undefined && { priority }),
    ...(timeout !== undefined && { timeout }),
    ...(maxAttempts !== undefined && { retry: { maxAttempts } }),
    ...(label !== undefined && { requirements: { labels: label } }),
    ...(key !== undefined && { idempotencyKey: key }),
    ...(keyLife !== undefined && { keyLife: KEY_LIVES[keyLife] }),
    ...(keyTtl !== undefined && { keyTtl }),
  };
}
