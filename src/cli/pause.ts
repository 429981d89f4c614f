import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printJson } from "./client-command.ts";
import { standText } from "./job-text.ts";

export function pauseCommand(env: Environment): Command {
  return clientCommand(env, "pause", "hold a job back; a running attempt is left to end")
    .argument("<jobId>", "the job")
    .addHelpText("after", "\nExample:\n  elastic-job pause 1")
    .action(async (jobId: string, options: ClientCommandOptions) => {
      const job = await connect(options).pauseJob(jobId);
      if (options.json) printJson({ job });
      else print(standText(job));
    });
}
