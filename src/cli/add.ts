import { type Command, Option } from "commander";
import type { AddJobInput, Duration } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { AddJobResponseSchema, GetJobStatusResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { addFile } from "./add-file.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { followJob, hasSucceeded } from "./follow-job.ts";
import { ALLOW_UNKNOWN_HANDLER, addJobOptions, type JobOptions, jobFields } from "./job-options.ts";
import { instantText, stateText } from "./job-text.ts";
import { parseDuration } from "./option-values.ts";
import { EXIT_FAILED } from "./run-program.ts";
import { checkScheduleOptions } from "./schedule-options.ts";

const KEY_REUSES = { same: "KEY_REUSE_SAME_BODY", any: "KEY_REUSE_ANY_BODY" } as const;
const KEY_LIVES = { kept: "KEY_LIFE_KEPT", unfinished: "KEY_LIFE_UNFINISHED" } as const;

interface AddOptions extends ClientCommandOptions, JobOptions {
  readonly file?: string;
  readonly key?: string;
  readonly keyLife?: keyof typeof KEY_LIVES;
  readonly keyTtl?: Duration;
  readonly keyReuse?: keyof typeof KEY_REUSES;
  readonly wait?: boolean;
  readonly allowUnknownHandler?: boolean;
}

const EXAMPLES = `
With --file, each line is a job as the API's AddJob takes it; the handler and the other options hold for lines that
do not say otherwise. Give each line an "idempotencyKey", and the file can be added again after a failure.

Examples:
  elastic-job add echo --payload '{"hello":"world"}' --wait
  elastic-job add echo --payload @order.json --in 1h30m
  elastic-job add echo --at 2030-01-01T08:00:00Z --key happy-new-year
  elastic-job add echo --daily 08:30 --zone Asia/Shanghai --name good-morning
  elastic-job add echo --cron '*/5 * * * *' --max-attempts 3 --backoff 10s --label gpu=true
  elastic-job add echo --every 90s --anchor 2030-01-01T00:00:00Z
  elastic-job add echo --cron '0 9 * * 1' --max-occurrences 10 --overlap skip --deadline 1h
  elastic-job add --file jobs.jsonl
  generate-jobs | elastic-job add echo --file - --slots 2`;

export function addCommand(env: Environment): Command {
  const command = clientCommand(env, "add", "add a job; without a schedule it runs at once").argument(
    "[handler]",
    "the handler that is to run it",
  );
  return addJobOptions(command)
    .option("--key <key>", "the same key adds the job only once; another job under it is refused")
    .addOption(
      new Option("--key-life <life>", "how long the key names the job (default: kept)")
        .choices(Object.keys(KEY_LIVES))
        .conflicts("keyTtl"),
    )
    .addOption(new Option("--key-ttl <duration>", "how long the key names the job").argParser(parseDuration))
    .option("--allow-unknown-handler", ALLOW_UNKNOWN_HANDLER)
    .addOption(
      new Option(
        "--key-reuse <rule>",
        "of a job that has the key, take: same, if it is the same as this (default), or any",
      ).choices(Object.keys(KEY_REUSES)),
    )
    .addOption(
      new Option("--file <file>", "add many: a job as JSON on each line; - is stdin").conflicts([
        "wait",
        "key",
      ]),
    )
    .addOption(
      new Option("--wait", "wait until it has ended; exit with 1 unless it succeeded").conflicts([
        "daily",
        "cron",
        "every",
      ]),
    )
    .addHelpText("after", EXAMPLES)
    .action(async (handler: string | undefined, options: AddOptions) => {
      checkScheduleOptions(command, options);
      const fields = fieldsOf(options);
      if (options.file !== undefined) {
        return addFile(connect(options), options.file, { ...options, ...(handler && { handler }), fields });
      }
      if (handler === undefined) return command.error("error: missing required argument 'handler'");
      await add({ ...fields, handler }, options);
    });
}

async function add(job: AddJobInput, options: AddOptions): Promise<void> {
  const client = connect(options);
  const added = await client.addJob(job);
  if (!options.wait) {
    if (options.json) return printAnswer(AddJobResponseSchema, added);
    const what = added.created ? "added" : "was there already, under the same key:";
    const when = added.nextRunAt === undefined ? "" : `, due ${instantText(added.nextRunAt)}`;
    return print(`${what} job ${added.jobId}${when}${added.reason === "" ? "" : `; ${added.reason}`}`);
  }
  const state = await followJob(client, added.jobId);
  if (!hasSucceeded(state)) process.exitCode = EXIT_FAILED;
  if (options.json && state !== null) printAnswer(GetJobStatusResponseSchema, state);
  else print(state === null ? `job ${added.jobId} is gone` : stateText(state));
}

function fieldsOf(options: AddOptions) {
  const { key, keyLife, keyTtl, keyReuse } = options;
  return {
    ...jobFields(options),
    ...(key !== undefined && { idempotencyKey: key }),
    ...(keyLife !== undefined && { keyLife: KEY_LIVES[keyLife] }),
    ...(keyTtl !== undefined && { keyTtl }),
    ...(options.allowUnknownHandler && { allowUnknownHandler: true }),
    ...(keyReuse !== undefined && { keyReuse: KEY_REUSES[keyReuse] }),
  };
}
