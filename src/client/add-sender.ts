/** Sends AddJobs calls, on a stream where there is one, until they are answered or their time is over. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { AddJobsRequest, AddJobsResponse } from "../gen/elasticjob/v1/job_service_pb.ts";
import { outcomesOf } from "./add-outcome.ts";
import type { AddStream } from "./add-stream.ts";
import { messageOf, type TableJob, tableOf } from "./encode-table.ts";
import type { AddedJob } from "./job-json.ts";
import { newCallKey, RetryKeys } from "./retry-keys.ts";
import { isUnavailable, withRetries } from "./retry-policy.ts";

export interface AddSenderOptions {
  readonly stream: AddStream | null;
  /** One AddJobs call. */
  readonly call: (
    request: AddJobsRequest,
    key: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ) => Promise<AddJobsResponse>;
  readonly retryable: (error: unknown) => boolean;
  readonly random: () => number;
}

type Outcomes = readonly (AddedJob | ConnectError)[];

/** What all tries of a call send. */
interface Sending {
  readonly request: AddJobsRequest;
  readonly key: string;
}

export class AddSender {
  private readonly options: AddSenderOptions;
  private readonly keys = new RetryKeys();

  constructor(options: AddSenderOptions) {
    this.options = options;
  }

  /**
   * An outcome for each job. A call of which some adds met a failover is made again as a whole: under its key, those
   * that were added stay so.
   */
  async send(jobs: readonly TableJob[], timeoutMs: number, signal?: AbortSignal): Promise<Outcomes> {
    const { retryable, random } = this.options;
    let sending = this.prepare(jobs);
    let answered: Outcomes | null = null;
    const attempt = async (leftMs: number, retry: number) => {
      let response = retry === 0 ? await this.stream(sending, leftMs, signal) : null;
      if (response === null) {
        // A server that knows no stream knows no table either; nothing was done there.
        if (retry === 0 && sending.request.table !== undefined) sending = this.prepare(jobs);
        response = await this.options.call(sending.request, sending.key, leftMs, signal);
      }
      const outcomes = outcomesOf(response, jobs.length);
      answered = outcomes;
      const cutShort = outcomes.find(isUnavailable);
      if (cutShort !== undefined) throw cutShort;
      return outcomes;
    };
    try {
      return await withRetries(attempt, { deadlineMs: timeoutMs, signal, retryable, random });
    } catch (error) {
      if (answered !== null) return answered;
      throw error;
    }
  }

  private prepare(jobs: readonly TableJob[]): Sending {
    const $typeName = "elasticjob.v1.AddJobsRequest";
    if (!this.options.stream?.isSupported) {
      return { request: { $typeName, jobs: jobs.map(messageOf) }, key: newCallKey() };
    }
    const { key, part } = this.keys.take(jobs.length);
    return { request: { $typeName, jobs: [], table: tableOf(jobs), ...(part && { keyPart: part }) }, key };
  }

  /** Null: there is no stream. */
  private async stream(
    { request, key }: Sending,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<AddJobsResponse | null> {
    const { stream } = this.options;
    if (!stream?.isSupported) return null;
    try {
      return await stream.send({ request, idempotencyKey: key, timeoutMs, signal });
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unimplemented) throw error;
      return null;
    }
  }
}
