import { type Command, Option } from "commander";
import type { Environment } from "../config.ts";
import { GetJobLogResponseSchema, JobLogLineSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import {
  answerJson,
  type ClientCommandOptions,
  clientCommand,
  connect,
  print,
  printAnswer,
} from "./client-command.ts";
import { logLineText } from "./log-text.ts";
import { parsePositive } from "./option-values.ts";

interface LogsOptions extends ClientCommandOptions {
  readonly claim?: number;
  readonly follow?: true;
}

const NOTES = `
What the handler gave to ctx.log, and what it printed: up to 1,000 lines or 256 KiB of each attempt. Without --claim
it is the attempt that runs, else the newest that has said anything; --follow waits for the first one, and ends with
the attempt. With --follow --json, one JSON document a line.

Examples:
  elastic-job logs 1
  elastic-job logs 1 --follow
  elastic-job logs 1 --claim 3 --json`;

export function logsCommand(env: Environment): Command {
  return clientCommand(env, "logs", "print what an attempt of a job has said")
    .argument("<jobId>", "the job")
    .addOption(
      new Option("--claim <number>", "which attempt, as results has it under CLAIM").argParser(parsePositive),
    )
    .option("--follow", "go on until the attempt has ended")
    .addHelpText("after", NOTES)
    .action(logs);
}

async function logs(jobId: string, { claim, follow, ...options }: LogsOptions): Promise<void> {
  const client = connect(options);
  const which = claim === undefined ? {} : { claim };
  if (follow) {
    for await (const line of client.watchJobLog(jobId, which)) {
      print(options.json ? JSON.stringify(answerJson(JobLogLineSchema, line)) : logLineText(line));
    }
    return;
  }
  const query = { jobId, ...which, pageSize: 1_000 };
  const page = await client.getJobLog(query);
  const lines = [...page.lines];
  for (let { nextPageToken: pageToken } = page; pageToken !== ""; ) {
    const next = await client.getJobLog({ ...query, pageToken });
    lines.push(...next.lines);
    pageToken = next.nextPageToken;
  }
  if (options.json) return printAnswer(GetJobLogResponseSchema, { ...page, lines, nextPageToken: "" });
  if (lines.length === 0) return print(page.running ? "nothing was said so far" : "nothing was said");
  print(lines.map(logLineText).join("\n"));
}
