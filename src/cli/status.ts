import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { GetJobStatusResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { stateText } from "./job-text.ts";

export function statusCommand(env: Environment): Command {
  return clientCommand(env, "status", "say where a job stands and how it last ended")
    .argument("<jobId>", "the job")
    .addHelpText("after", "\nExample:\n  elastic-job status 1")
    .action(async (jobId: string, options: ClientCommandOptions) => {
      const state = await connect(options).getJobStatus(jobId);
      if (options.json) printAnswer(GetJobStatusResponseSchema, state);
      else print(stateText(state));
    });
}
