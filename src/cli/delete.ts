import type { Command } from "commander";
import { type ClientCommandOptions, clientCommand, connect, print, printJson } from "./client-command.ts";

export function deleteCommand(): Command {
  return clientCommand("delete", "remove a job, abort its running handler, keep its results")
    .argument("<jobId>", "the job")
    .addHelpText("after", "\nExample:\n  elastic-job delete 1")
    .action(async (jobId: string, options: ClientCommandOptions) => {
      await connect(options).deleteJob(jobId);
      if (options.json) printJson({});
      else print(`deleted job ${jobId}`);
    });
}
