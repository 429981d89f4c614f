import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { PauseJobResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { standText } from "./job-text.ts";

export function pauseCommand(env: Environment): Command {
  return clientCommand(env, "pause", "hold a job back; a running attempt is left to end")
    .argument("<jobId>", "the job")
    .addHelpText("after", "\nExample:\n  elastic-job pause 1")
    .action(async (jobId: string, options: ClientCommandOptions) => {
      const job = await connect(options).pauseJob(jobId);
      if (options.json) printAnswer(PauseJobResponseSchema, { job });
      else print(standText(job));
    });
}
