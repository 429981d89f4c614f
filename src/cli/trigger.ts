import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { TriggerJobResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";

export function triggerCommand(env: Environment): Command {
  return clientCommand(env, "trigger", "run a job now, beside its schedule, as a job of its own")
    .argument("<jobId>", "the job")
    .addHelpText("after", "\nExample:\n  elastic-job trigger 1")
    .action(async (jobId: string, options: ClientCommandOptions) => {
      const job = await connect(options).triggerJob(jobId);
      if (options.json) printAnswer(TriggerJobResponseSchema, { job });
      else print(`added job ${job.jobId}, which runs job ${jobId} now`);
    });
}
