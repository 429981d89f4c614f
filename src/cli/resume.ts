import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { ResumeJobResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { standText } from "./job-text.ts";

export function resumeCommand(env: Environment): Command {
  return clientCommand(env, "resume", "let a paused job go on")
    .argument("<jobId>", "the job")
    .addHelpText("after", "\nExample:\n  elastic-job resume 1")
    .action(async (jobId: string, options: ClientCommandOptions) => {
      const job = await connect(options).resumeJob(jobId);
      if (options.json) printAnswer(ResumeJobResponseSchema, { job });
      else print(standText(job));
    });
}
