import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printJson } from "./client-command.ts";

export function deleteCommand(env: Environment): Command {
  return clientCommand(env, "delete", "remove a job, abort its running handler, keep its results")
    .argument("<jobId>", "the job")
    .addHelpText("after", "\nExample:\n  elastic-job delete 1")
    .action(async (jobId: string, options: ClientCommandOptions) => {
      await connect(options).deleteJob(jobId);
      if (options.json) printJson({});
      else print(`deleted job ${jobId}`);
    });
}
