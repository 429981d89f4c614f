import { type Command, InvalidArgumentError, Option } from "commander";
import type { ElasticJobClient } from "../client/elastic-job-client.ts";
import type { JobResult } from "../client/job-json.ts";
import type { Environment } from "../config.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printJson } from "./client-command.ts";
import { parsePositive } from "./option-values.ts";
import { EXIT_FAILED } from "./run-program.ts";
import { formatFields } from "./table.ts";

const MOST_JOBS = 100_000;
const RESULTS_LIMIT_MS = 60_000;
const POLL_MS = 200;
const PAGE_SIZE = 1_000;

interface BenchOptions extends ClientCommandOptions {
  readonly jobs: number;
  readonly concurrency: number;
  readonly handler: string;
}

interface Report {
  readonly jobs: number;
  readonly ended: number;
  readonly addsPerSecond: number;
  /** From the first job's due time to the last one's end, by the cluster's clock. */
  readonly jobsPerSecond: number;
  /** What a caller waits for one add. */
  readonly addMs: Spread;
  /** From a job's due time to its start. */
  readonly startMs: Spread;
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
}

const MEANING = "add jobs that do nothing, and say how many a second were added and done";

export function benchCommand(env: Environment): Command {
  return clientCommand(env, "bench", MEANING)
    .addOption(new Option("--jobs <number>", "how many").argParser(parseJobs).default(1_000))
    .addOption(
      new Option("--concurrency <number>", "adds at a time; the client sends them together")
        .argParser(parsePositive)
        .default(100),
    )
    .option("--handler <handler>", "the handler that is to run them", "echo")
    .action(async (options: BenchOptions) => {
      const report = await bench(connect(options), options);
      if (report.ended < report.jobs) process.exitCode = EXIT_FAILED;
      if (options.json) printJson(report);
      else print(textOf(report));
    });
}

async function bench(client: ElasticJobClient, options: BenchOptions): Promise<Report> {
  const ids = new Set<string>();
  const addMs: number[] = [];
  let left = options.jobs;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: options.concurrency }, async () => {
      while (left-- > 0) {
        const at = performance.now();
        const { jobId } = await client.addJob({ handler: options.handler, name: "bench" });
        addMs.push(performance.now() - at);
        ids.add(jobId);
      }
    }),
  );
  const addedMs = performance.now() - startedAt;
  const results = await resultsOf(client, ids);
  const due = results.map(({ scheduledAt }) => instantOf(scheduledAt));
  const ends = results.map(({ endTime }) => instantOf(endTime));
  return {
    jobs: options.jobs,
    ended: results.length,
    addsPerSecond: perSecond(options.jobs, addedMs),
    jobsPerSecond: perSecond(results.length, most(ends) + most(due.map((instant) => -instant))),
    addMs: spreadOf(addMs),
    startMs: spreadOf(
      results.map(({ startTime, scheduledAt }) => instantOf(startTime) - instantOf(scheduledAt)),
    ),
  };
}

/** The first result of each job; as many as there are when no more came for a while. */
async function resultsOf(client: ElasticJobClient, ids: ReadonlySet<string>): Promise<JobResult[]> {
  const oldest = [...ids].reduce((least, id) => Math.min(least, Number(id)), Number.POSITIVE_INFINITY);
  const limit = performance.now() + RESULTS_LIMIT_MS;
  for (;;) {
    const found = new Map<string, JobResult>();
    for await (const result of client.eachResult({ pageSize: PAGE_SIZE })) {
      // Newest job first.
      if (Number(result.jobId) < oldest) break;
      if (ids.has(result.jobId)) found.set(result.jobId, result);
    }
    if (found.size === ids.size || performance.now() > limit) return [...found.values()];
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function textOf({ jobs, ended, addsPerSecond, jobsPerSecond, addMs, startMs }: Report): string {
  return formatFields([
    ["added", `${jobs} jobs, ${addsPerSecond}/s; an add took ${spreadText(addMs)}`],
    ["done", `${ended} jobs, ${jobsPerSecond}/s; a job started ${spreadText(startMs)} after it was due`],
  ]);
}

const spreadText = ({ p50, p99 }: Spread): string => `${p50} ms (p50), ${p99} ms (p99)`;

const instantOf = (text: string | undefined): number => Date.parse(text ?? "");

function perSecond(count: number, ms: number): number {
  return ms > 0 ? Math.round((count / ms) * 1_000) : 0;
}

function most(values: readonly number[]): number {
  return values.reduce((larger, value) => Math.max(larger, value), Number.NEGATIVE_INFINITY);
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: Math.round(at(0.5) * 10) / 10, p99: Math.round(at(0.99) * 10) / 10 };
}

function parseJobs(text: string): number {
  const jobs = parsePositive(text);
  if (jobs > MOST_JOBS)
    throw new InvalidArgumentError(`at most ${MOST_JOBS.toLocaleString("en")} are accepted.`);
  return jobs;
}
