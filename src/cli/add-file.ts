/** `add --file`: a job as JSON on each line, in calls of many, with what became of them. */
import { createReadStream } from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { ElasticJobClient } from "../client/elastic-job-client.ts";
import type { AddJobInput } from "../client/job-json.ts";
import { type ElasticJobError, invalidArgument } from "../core/errors.ts";
import { parseExact } from "../core/json/exact-numbers.ts";
import { decodeUtf8 } from "../core/json/utf8.ts";
import { refusalOf, repeatedProblem } from "../core/request/json-problems.ts";
import { shorten } from "../core/short-text.ts";
import { print, printJson } from "./client-command.ts";
import { readLines } from "./read-lines.ts";
import { EXIT_FAILED } from "./run-program.ts";

const BATCH_JOBS = 1_000;
/** A call takes a few MiB at most. */
const BATCH_BYTES = 2_000_000;
const PROGRESS_MS = 1_000;
/** More lines that are wrong in the same way help nobody. */
const MAX_TOLD = 20;
const MAX_SHOWN_CHARACTERS = 80;
const A_JOB = "a job as a JSON object is accepted, one on each line";

/** What is wrong with one job; all else, such as a cluster that is away, ends the whole. */
const OF_THE_JOB: readonly Code[] = [Code.InvalidArgument, Code.FailedPrecondition, Code.AlreadyExists];

export interface FileOptions {
  readonly handler?: string;
  /** What holds for lines that do not say otherwise. */
  readonly fields: Partial<AddJobInput>;
  readonly json?: boolean;
}

interface Line {
  readonly number: number;
  readonly job: AddJobInput;
}

export async function addFile(client: ElasticJobClient, file: string, options: FileOptions): Promise<void> {
  const adding = new AddedLines(client);
  const input = file === "-" ? process.stdin : createReadStream(file);
  let number = 0;
  try {
    for await (const line of readLines(input)) await adding.take(++number, line, options);
    await adding.send();
  } catch (error) {
    // They are told also when this breaks off: those jobs are there.
    if (!adding.isEmpty) adding.tell(options.json ?? false);
    throw isOfFile(error) ? unreadable(file, error) : error;
  }
  adding.tell(options.json ?? false);
}

function isOfFile(error: unknown): error is Error {
  return (
    error instanceof Error && "syscall" in error && (error.syscall === "open" || error.syscall === "read")
  );
}

function unreadable(file: string, error: Error): ElasticJobError {
  const message = `${file} cannot be read: ${error.message}; a file is accepted, or - for stdin`;
  return invalidArgument([{ field: "--file", message }]);
}

class AddedLines {
  private readonly client: ElasticJobClient;
  private batch: Line[] = [];
  private bytes = 0;
  private readonly counts = { added: 0, existed: 0, refused: 0 };
  private readonly refusals: { line: number; code: string; message: string }[] = [];
  private toldAt = performance.now();

  constructor(client: ElasticJobClient) {
    this.client = client;
  }

  /** Nothing has come of any line so far. */
  get isEmpty(): boolean {
    const { added, existed, refused } = this.counts;
    return added + existed + refused === 0;
  }

  async take(number: number, bytes: Buffer, { handler, fields }: FileOptions): Promise<void> {
    let line: object | null;
    try {
      line = jobOfLine(bytes);
    } catch (error) {
      return this.refuse(number, "invalid_argument", messageOf(error));
    }
    if (line === null) return;
    const { payloadJson, ...common } = fields;
    const payload =
      "payload" in line || "payloadJson" in line || payloadJson === undefined ? {} : { payloadJson };
    this.batch.push({
      number,
      job: { ...(handler !== undefined && { handler }), ...common, ...payload, ...line } as AddJobInput,
    });
    this.bytes += bytes.length;
    if (this.batch.length >= BATCH_JOBS || this.bytes >= BATCH_BYTES) await this.send();
  }

  async send(): Promise<void> {
    const batch = this.batch.splice(0);
    this.bytes = 0;
    // The client sends what is added together in one call, and refuses each job alone.
    const outcomes = await Promise.allSettled(batch.map(({ job }) => this.client.addJob(job)));
    let broken: unknown;
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") this.counts[outcome.value.created ? "added" : "existed"]++;
      else {
        const { code, rawMessage } = ConnectError.from(outcome.reason);
        if (OF_THE_JOB.includes(code)) this.refuse(batch[index]?.number ?? 0, codeToString(code), rawMessage);
        else broken ??= outcome.reason;
      }
    }
    if (broken !== undefined) throw broken;
    this.progress();
  }

  private refuse(line: number, code: string, message: string): void {
    this.counts.refused++;
    process.exitCode = EXIT_FAILED;
    this.refusals.push({ line, code, message });
    if (this.refusals.length <= MAX_TOLD) process.stderr.write(`line ${line}: ${code}: ${message}\n`);
    else if (this.refusals.length === MAX_TOLD + 1) process.stderr.write("… and more lines are refused\n");
  }

  private progress(): void {
    if (performance.now() - this.toldAt < PROGRESS_MS) return;
    this.toldAt = performance.now();
    const { added, existed, refused } = this.counts;
    process.stderr.write(`${(added + existed + refused).toLocaleString("en")} lines …\n`);
  }

  tell(asJson: boolean): void {
    if (asJson) return printJson({ ...this.counts, refusals: this.refusals.slice(0, MAX_TOLD) });
    const { added, existed, refused } = this.counts;
    const parts = [`added ${added} ${added === 1 ? "job" : "jobs"}`];
    if (existed > 0) parts.push(`${existed} were there already`);
    if (refused > 0) parts.push(`${refused} refused`);
    print(parts.join(", "));
  }
}

/** Its numbers keep all their digits. Null: it is empty. */
function jobOfLine(bytes: Buffer): object | null {
  const text = decodeUtf8(bytes, "the line");
  if (text.trim() === "") return null;
  let job: unknown;
  try {
    job = parseExact(text);
  } catch (error) {
    throw wrongLine(`is not JSON (${messageOf(error)}); ${A_JOB}`);
  }
  if (typeof job !== "object" || job === null || Array.isArray(job)) {
    throw wrongLine(`is ${shorten(text.trim(), MAX_SHOWN_CHARACTERS)}; ${A_JOB}`);
  }
  const repeated = repeatedProblem(text);
  if (repeated.length > 0) throw refusalOf(repeated);
  return job;
}

function wrongLine(message: string): ElasticJobError {
  return invalidArgument([{ field: "the line", message }]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
