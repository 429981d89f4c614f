import { type Command, Option } from "commander";
import type { Environment } from "../config.ts";
import { CancelJobResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { standText } from "./job-text.ts";
import { parseInstant } from "./option-values.ts";

interface CancelCommandOptions extends ClientCommandOptions {
  readonly scheduledAt?: string;
}

const EXAMPLES = `
Examples:
  elastic-job cancel 1
  elastic-job cancel 1 --scheduled-at 2030-01-01T08:00:00Z`;

export function cancelCommand(env: Environment): Command {
  return clientCommand(env, "cancel", "end the current occurrence of a job, running or not")
    .argument("<jobId>", "the job")
    .addOption(
      new Option("--scheduled-at <instant>", "only if that occurrence is the current one").argParser(
        parseInstant,
      ),
    )
    .addHelpText("after", EXAMPLES)
    .action(async (jobId: string, { scheduledAt, json, ...where }: CancelCommandOptions) => {
      const only = scheduledAt === undefined ? {} : { scheduledAt };
      const job = await connect(where).cancelJob(jobId, only);
      if (json) printAnswer(CancelJobResponseSchema, { job });
      else print(standText(job));
    });
}
