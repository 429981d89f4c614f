import { type Command, InvalidArgumentError, Option } from "commander";
import type { AuditRecord } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { durationOfText } from "../core/duration-text.ts";
import { GetAuditResponseSchema } from "../gen/elasticjob/v1/cluster_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { instantText } from "./job-text.ts";
import { parseInstant, parsePositive } from "./option-values.ts";
import { formatTable } from "./table.ts";
import { takeFirst } from "./take-first.ts";

interface AuditOptions extends ClientCommandOptions {
  readonly since?: string;
  readonly until?: string;
  readonly caller?: string;
  readonly method?: string;
  readonly job?: string;
  readonly node?: string;
  readonly limit: number;
}

const NOTES = `
It takes a token with the role operate. A time is an instant, or how long ago.

Examples:
  elastic-job audit --since 1h
  elastic-job audit --caller billing --method DeleteJob
  elastic-job audit --job 42 --json`;

const HEADER = ["WHEN", "CALLER", "FROM", "METHOD", "ON", "JOBS", "OUTCOME", "WHAT"];

export function auditCommand(env: Environment): Command {
  return clientCommand(env, "audit", "list what callers did, newest first")
    .addOption(new Option("--since <time>", "from then on").argParser(parseTime))
    .addOption(new Option("--until <time>", "until then").argParser(parseTime))
    .option("--caller <name>", "only of this caller, by the name of its token")
    .option("--method <method>", "only of this method, such as PauseJob")
    .option("--job <jobId>", "only about this job, and adds that may have added it")
    .option("--node <node>", "only about this node, by its name")
    .addOption(new Option("--limit <number>", "at most so many").argParser(parsePositive).default(100))
    .addHelpText("after", NOTES)
    .action(audit);
}

/** `1h` is an hour ago. */
function parseTime(text: string): string {
  const ago = durationOfText(text);
  if (ago === null) return parseInstant(text);
  const at = Date.now() - ago;
  if (at >= 0) return new Date(at).toISOString();
  throw new InvalidArgumentError("It is before 1970; a shorter time is accepted.");
}

async function audit({ since, until, caller, method, job, node, ...options }: AuditOptions): Promise<void> {
  const { limit } = options;
  const query = {
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(caller !== undefined && { caller }),
    ...(method !== undefined && { method }),
    ...(job !== undefined && { jobId: job }),
    ...(node !== undefined && { nodeId: node }),
    pageSize: Math.min(limit, 1_000),
  };
  const { items, more } = await takeFirst(connect(options).eachAuditRecord(query), limit);
  if (options.json) return printAnswer(GetAuditResponseSchema, { records: items });
  if (items.length === 0) return print("nothing was noted");
  print(formatTable(HEADER, items.map(row)));
  if (more) print(`… and more; --limit shows more than ${limit}`);
}

function row(record: AuditRecord): string[] {
  const { caller, address, forwardedFor, method, jobId, nodeId, detail, outcome } = record;
  return [
    instantText(record.at),
    caller,
    forwardedFor === "" ? address : `${address} for ${forwardedFor}`,
    method,
    jobId === "" ? nodeId : jobId,
    jobsText(record),
    outcome === "" ? "not known" : outcome,
    detail,
  ];
}

/** How many were added, and between which ids; of refused calls, how many. */
function jobsText({ firstJobId, lastJobId, count }: AuditRecord): string {
  if (firstJobId === "") return count > 1 ? `${count} calls` : "";
  return firstJobId === lastJobId ? firstJobId : `${count} in ${firstJobId}-${lastJobId}`;
}
