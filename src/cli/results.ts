import { type Command, Option } from "commander";
import type { JobResult, Outcome } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { OutcomeSchema } from "../gen/elasticjob/v1/job_pb.ts";
import { GetAllResultResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { enumNames, parseEnum } from "./enum-option.ts";
import { enumText, instantText, resultText, tookText } from "./job-text.ts";
import { parsePositive } from "./option-values.ts";
import { formatTable } from "./table.ts";
import { takeFirst } from "./take-first.ts";

interface ResultsOptions extends ClientCommandOptions {
  readonly outcome?: Outcome;
  readonly limit: number;
}

const EXAMPLES = `
Examples:
  elastic-job results              of all jobs
  elastic-job results --outcome failed
  elastic-job results 1 --json     of job 1, with stacks and placement`;

const HEADER = ["JOB", "CLAIM", "SCHEDULED", "ATTEMPT", "OUTCOME", "STARTED", "TOOK", "NODE", "CAME OF IT"];

export function resultsCommand(env: Environment): Command {
  return clientCommand(env, "results", "list results, newest job and claim first")
    .argument("[jobId]", "only those of this job")
    .addOption(
      new Option("--outcome <outcome>", "only those that ended so")
        .choices(enumNames(OutcomeSchema))
        .argParser((text) => parseEnum(OutcomeSchema, text)),
    )
    .addOption(new Option("--limit <number>", "at most so many").argParser(parsePositive).default(100))
    .addHelpText("after", EXAMPLES)
    .action(results);
}

async function results(jobId: string | undefined, options: ResultsOptions): Promise<void> {
  const { limit, outcome } = options;
  const filter = { ...(jobId !== undefined && { jobId }), ...(outcome !== undefined && { outcome }) };
  const query = { ...filter, pageSize: Math.min(limit, 1_000) };
  const { items, more } = await takeFirst(connect(options).eachResult(query), limit);
  if (options.json) return printAnswer(GetAllResultResponseSchema, { results: items });
  if (items.length === 0) return print("no results");
  print(formatTable(HEADER, items.map(row)));
  if (more) print(`… and more; --limit shows more than ${limit}`);
}

function row(result: JobResult): string[] {
  return [
    result.jobId,
    String(result.claim),
    instantText(result.scheduledAt),
    String(result.attempt),
    enumText(result.outcome) + (result.late ? " (late)" : ""),
    instantText(result.startTime),
    tookText(result),
    result.nodeId,
    resultText(result),
  ];
}
