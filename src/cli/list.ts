import { type Command, Option } from "commander";
import type { Job, JobStatus } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { JobStatusSchema } from "../gen/elasticjob/v1/job_pb.ts";
import { GetAllJobsResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { enumNames, parseEnum } from "./enum-option.ts";
import { enumText, instantText, scheduleText } from "./job-text.ts";
import { parsePositive } from "./option-values.ts";
import { formatTable } from "./table.ts";
import { takeFirst } from "./take-first.ts";

const STATUSES = enumNames(JobStatusSchema);

interface ListOptions extends ClientCommandOptions {
  readonly status?: JobStatus;
  readonly handler?: string;
  readonly name?: string;
  readonly parent?: string;
  readonly limit: number;
}

const EXAMPLES = `
Examples:
  elastic-job list --status failed
  elastic-job list --handler echo --limit 1000 --json
  elastic-job list --parent 1      what job 1 has spawned (overlap allow, trigger)`;

export function listCommand(env: Environment): Command {
  return clientCommand(env, "list", "list jobs, newest first")
    .addOption(
      new Option("--status <status>", "only those in this status").choices(STATUSES).argParser(parseStatus),
    )
    .option("--handler <handler>", "only those of this handler")
    .option("--name <prefix>", "only those whose name begins so")
    .option("--parent <jobId>", "only occurrences of this job that are jobs of their own")
    .addOption(new Option("--limit <number>", "at most so many").argParser(parsePositive).default(100))
    .addHelpText("after", EXAMPLES)
    .action(list);
}

async function list({ status, handler, name, parent, limit, json, ...where }: ListOptions): Promise<void> {
  const query = {
    ...(status !== undefined && { status }),
    ...(handler !== undefined && { handler }),
    ...(name !== undefined && { namePrefix: name }),
    ...(parent !== undefined && { parentId: parent }),
    pageSize: Math.min(limit, 1_000),
  };
  const { items: jobs, more } = await takeFirst(connect(where).eachJob(query), limit);
  if (json) return printAnswer(GetAllJobsResponseSchema, { jobs });
  if (jobs.length === 0) return print("no jobs");
  print(formatTable(["JOB", "NAME", "HANDLER", "STATUS", "SCHEDULE", "NEXT RUN", "REASON"], jobs.map(row)));
  if (more) print(`… and more; --limit shows more than ${limit}`);
}

function row(job: Job): string[] {
  return [
    job.jobId,
    job.name,
    job.handler,
    enumText(job.status),
    scheduleText(job),
    instantText(job.nextRunAt),
    job.reason,
  ];
}

function parseStatus(text: string): JobStatus {
  return parseEnum(JobStatusSchema, text) as JobStatus;
}
