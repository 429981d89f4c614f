import { type Command, Option } from "commander";
import type { UpdateJobInput } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { FIELD_RANGES } from "../core/spec/field-ranges.ts";
import { UpdateJobResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { ALLOW_UNKNOWN_HANDLER, addJobOptions, type JobOptions, jobFields } from "./job-options.ts";
import { standText } from "./job-text.ts";
import { wholeWithin } from "./option-values.ts";
import { checkScheduleOptions } from "./schedule-options.ts";

interface Clearable {
  readonly path: string;
  /** What is said by these would be taken back in the same breath. */
  readonly options: readonly (keyof JobOptions)[];
}

/** What a job can be without. */
const CLEARABLE = {
  payload: { path: "payload", options: ["payload"] },
  "start-at": { path: "startAt", options: ["startAt"] },
  "end-at": { path: "endAt", options: ["endAt"] },
  "max-occurrences": { path: "maxOccurrences", options: ["maxOccurrences"] },
  jitter: { path: "jitter", options: ["jitter"] },
  deadline: { path: "deadline", options: ["deadline"] },
  timeout: { path: "timeout", options: ["timeout"] },
  retry: { path: "retry", options: ["maxAttempts", "backoff", "maxBackoff", "multiplier"] },
  requirements: { path: "requirements", options: ["slots", "memory", "label"] },
  labels: { path: "requirements.labels", options: ["label"] },
} as const satisfies Readonly<Record<string, Clearable>>;

interface UpdateOptions extends ClientCommandOptions, JobOptions {
  readonly handler?: string;
  readonly clear?: readonly (keyof typeof CLEARABLE)[];
  readonly revision?: number;
  readonly allowUnknownHandler?: boolean;
}

const EXAMPLES = `
What no option names stays as it is; a running attempt goes on with the old values. Where all is so already, nothing
is written, and the revision stays.

Examples:
  elastic-job update 1 --daily 09:00 --zone Europe/Berlin
  elastic-job update 1 --priority 0 --timeout 3m --clear deadline end-at
  elastic-job update 1 --payload @new.json --revision 4`;

export function updateCommand(env: Environment): Command {
  const command = clientCommand(env, "update", "change fields of a job").argument("<jobId>", "the job");
  return addJobOptions(command)
    .option("--handler <handler>", "the handler that is to run it")
    .option("--allow-unknown-handler", ALLOW_UNKNOWN_HANDLER)
    .addOption(
      new Option("--clear <fields...>", "take these back to their default").choices(Object.keys(CLEARABLE)),
    )
    .addOption(
      new Option("--revision <number>", "only if the job is still at this revision").argParser(
        wholeWithin(FIELD_RANGES.revision),
      ),
    )
    .addHelpText("after", EXAMPLES)
    .action(async (jobId: string, options: UpdateOptions) => {
      checkScheduleOptions(command, options);
      checkCleared(command, options);
      const fields = {
        ...jobFields(options),
        ...(options.handler !== undefined && { handler: options.handler }),
      };
      const paths = [...pathsOf(fields), ...(options.clear ?? []).map((name) => CLEARABLE[name].path)];
      if (paths.length === 0) return command.error("error: name something to change");
      const { revision } = options;
      const { changed, ...job } = await connect(options).updateJob({
        jobId,
        job: fields as UpdateJobInput["job"],
        updateMask: [...new Set(paths)].join(","),
        ...(revision !== undefined && { revision }),
        ...(options.allowUnknownHandler && { allowUnknownHandler: true }),
      });
      if (options.json) printAnswer(UpdateJobResponseSchema, { job, changed });
      else print(`${changed ? "" : "nothing changed: "}${standText(job)}, at revision ${job.revision}`);
    });
}

function checkCleared(command: Command, options: UpdateOptions): void {
  for (const name of options.clear ?? []) {
    const { options: names }: Clearable = CLEARABLE[name];
    const given = command.options.find((option) =>
      names.some((each) => each === option.attributeName() && options[each] !== undefined),
    );
    if (given !== undefined)
      command.error(`error: option '--clear ${name}' cannot be used with option '${given.flags}'`);
  }
}

/** By name, so that 0 and "" are values like others; of retry and requirements only what is given. */
function pathsOf(fields: ReturnType<typeof jobFields>): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    (name === "retry" || name === "requirements") && typeof value === "object"
      ? Object.keys(value ?? {}).map((inner) => `${name}.${inner}`)
      : [name],
  );
}
