/** Jobs and results as callers see them. */
import type { Job, JobResult } from "../client/job-json.ts";
import { toOutput } from "../client/json-message.ts";
import { quote } from "../core/errors.ts";
import { type JobRecord, STORED_STATUS } from "../core/job.ts";
import { JobResultSchema, JobSchema } from "../gen/elasticjob/v1/job_pb.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import { jobToMessage } from "../rpc/conversion/job-message.ts";
import { resultToMessage } from "../rpc/conversion/result-message.ts";
import type { WrittenRows } from "./written-rows.ts";

export interface RowsViewParts {
  readonly rows: WrittenRows;
  /** The handlers that there are. */
  readonly jobs: Jobs;
  readonly now: () => number;
}

export class RowsView {
  readonly #parts: RowsViewParts;
  /** Of the first of the rows: a row never changes. */
  readonly #results: JobResult[] = [];

  constructor(parts: RowsViewParts) {
    this.#parts = parts;
  }

  results(handler?: string): JobResult[] {
    const { rows } = this.#parts;
    this.#check("results", handler);
    for (const row of rows.results.slice(this.#results.length)) {
      const message = resultToMessage(row, rows.nodeName);
      this.#results.push(toOutput(JobResultSchema, message) as unknown as JobResult);
    }
    return this.#results.filter(
      ({ jobId }) => handler === undefined || rows.handlerOf(Number(jobId)) === handler,
    );
  }

  jobs(handler?: string): Job[] {
    this.#check("jobs", handler);
    const records = [...this.#parts.rows.jobs.values()].sort((one, other) => one.id - other.id);
    return records
      .filter(({ spec }) => handler === undefined || spec.handler === handler)
      .map((record) => this.#jobOf(record));
  }

  #jobOf(record: JobRecord): Job {
    const { rows, now } = this.#parts;
    const prepared = record.status === STORED_STATUS.WAITING && record.at <= now();
    const message = jobToMessage({ record, prepared, reason: "", lastResult: null }, rows.nodeName);
    return toOutput(JobSchema, message) as unknown as Job;
  }

  /** A name that is misspelt would else pass for a handler that has done nothing. */
  #check(what: string, handler: string | undefined): void {
    const { jobs, rows } = this.#parts;
    if (handler === undefined || Object.hasOwn(jobs, handler) || rows.hasHandler(handler)) return;
    const names = Object.keys(jobs).join(", ");
    throw new Error(`${what}: there is no handler ${quote(handler)}; there are ${names}`);
  }
}
