import { Code, ConnectError } from "@connectrpc/connect";
import { type Command, Option } from "commander";
import type { ElasticJobClient } from "../client/elastic-job-client.ts";
import type { Environment } from "../config.ts";
import { RetryJobResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import {
  type ClientCommandOptions,
  clientCommand,
  connect,
  print,
  printAnswer,
  printJson,
} from "./client-command.ts";
import { standText } from "./job-text.ts";

interface RetryCommandOptions extends ClientCommandOptions {
  readonly all?: boolean;
  readonly handler?: string;
  readonly namePrefix?: string;
}

/** Retried at once: enough to share round trips, too few to push other callers aside. */
const PAGE_SIZE = 50;

const EXAMPLES = `
Examples:
  elastic-job retry 1
  elastic-job retry --all --handler echo --name-prefix report-`;

export function retryCommand(env: Environment): Command {
  return clientCommand(env, "retry", "run FAILED jobs again: one, or all of them")
    .argument("[jobId]", "the job")
    .option("--all", "every FAILED job, or those that the other options choose")
    .addOption(new Option("--handler <handler>", "with --all: only those of this handler"))
    .addOption(new Option("--name-prefix <prefix>", "with --all: only those whose name begins so"))
    .addHelpText("after", EXAMPLES)
    .action(async (jobId: string | undefined, options: RetryCommandOptions, command: Command) => {
      if ((jobId === undefined) !== (options.all === true)) {
        command.error("error: name one job, or give '--all'");
      }
      if (!options.all && (options.handler !== undefined || options.namePrefix !== undefined)) {
        command.error("error: options '--handler <handler>' and '--name-prefix <prefix>' need '--all'");
      }
      if (jobId === undefined) await retryAll(options);
      else await retryOne(jobId, options);
    });
}

async function retryOne(jobId: string, options: RetryCommandOptions): Promise<void> {
  const job = await connect(options).retryJob(jobId);
  if (options.json) printAnswer(RetryJobResponseSchema, { job });
  else print(standText(job));
}

async function retryAll(options: RetryCommandOptions): Promise<void> {
  const { handler, namePrefix } = options;
  const client = connect(options);
  let retried = 0;
  let pageToken = "";
  try {
    do {
      const page = await client.getAllJobs({
        status: "JOB_STATUS_FAILED",
        ...(handler !== undefined && { handler }),
        ...(namePrefix !== undefined && { namePrefix }),
        pageSize: PAGE_SIZE,
        pageToken,
      });
      const settled = await Promise.allSettled(page.jobs.map(({ jobId }) => retryFailed(client, jobId)));
      retried += settled.filter((one) => one.status === "fulfilled" && one.value).length;
      const broken = settled.find((one) => one.status === "rejected");
      if (broken !== undefined) throw broken.reason;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
  } finally {
    // They are told also when this breaks off: those jobs do run again.
    if (options.json) printJson({ retried });
    else print(`${retried} ${retried === 1 ? "job runs" : "jobs run"} again`);
  }
}

/** False: it was deleted, or has gone on, since it was listed. */
async function retryFailed(client: ElasticJobClient, jobId: string): Promise<boolean> {
  try {
    await client.retryJob(jobId);
    return true;
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (code === Code.NotFound || code === Code.FailedPrecondition) return false;
    throw error;
  }
}
