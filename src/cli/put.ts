import type { Command } from "commander";
import type { PutJobInput } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { PutJobResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { ALLOW_UNKNOWN_HANDLER, addJobOptions, type JobOptions, jobFields } from "./job-options.ts";
import { enumText, instantText } from "./job-text.ts";
import { checkScheduleOptions } from "./schedule-options.ts";

interface PutOptions extends ClientCommandOptions, JobOptions {
  readonly allowUnknownHandler?: boolean;
}

const NOTES = `
What no option names takes its default, also where the job has another value. A paused job stays paused, and the next run
stays where the schedule does: so a script can put the same jobs each time that it runs.

Example:
  elastic-job put nightly-report report --cron '0 3 * * *' --zone Europe/Berlin`;

export function putCommand(env: Environment): Command {
  const command = clientCommand(
    env,
    "put",
    "make the job of a key be as described: add it, change it, or leave it",
  )
    .argument("<key>", "names the job")
    .argument("<handler>", "the handler that is to run it");
  return addJobOptions(command)
    .option("--allow-unknown-handler", ALLOW_UNKNOWN_HANDLER)
    .addHelpText("after", NOTES)
    .action(async (key: string, handler: string, options: PutOptions) => {
      checkScheduleOptions(command, options);
      const job: PutJobInput = {
        ...jobFields(options),
        handler,
        ...(options.allowUnknownHandler && { allowUnknownHandler: true }),
      };
      const put = await connect(options).putJob(key, job);
      if (options.json) return printAnswer(PutJobResponseSchema, put);
      const when = put.nextRunAt === undefined ? "" : `, next run ${instantText(put.nextRunAt)}`;
      const why = put.reason === "" ? "" : ` (${put.reason})`;
      print(
        `${enumText(put.outcome).toLowerCase()} job ${put.jobId}${when}${why}, at revision ${put.revision}`,
      );
    });
}
