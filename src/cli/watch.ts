import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { GetJobStatusResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { answerJson, type ClientCommandOptions, clientCommand, connect, print } from "./client-command.ts";
import { followJob, hasSucceeded } from "./follow-job.ts";
import { changeText } from "./job-text.ts";
import { EXIT_FAILED } from "./run-program.ts";

const NOTES = `
Prints a line for each change; with --json, one JSON document a line. Exits with 1 unless the job ended
as SUCCEEDED. A daily, cron or interval job that was given no end never ends: stop it with Ctrl-C.

Example:
  elastic-job watch 1`;

export function watchCommand(env: Environment): Command {
  return clientCommand(env, "watch", "print each change of a job until it has ended")
    .argument("<jobId>", "the job")
    .addHelpText("after", NOTES)
    .action(async (jobId: string, options: ClientCommandOptions) => {
      const last = await followJob(connect(options), jobId, (state) =>
        print(
          options.json ? JSON.stringify(answerJson(GetJobStatusResponseSchema, state)) : changeText(state),
        ),
      );
      if (!hasSucceeded(last)) process.exitCode = EXIT_FAILED;
    });
}
