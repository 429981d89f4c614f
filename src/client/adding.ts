/** A job that is being added: a promise of what the add answers, from which its result can be waited for, too. */
import type { AddedJob, AddJobInput, JobState } from "./job-json.ts";
import { type ResultOptions, resultOf } from "./job-result.ts";

export interface Adding<Output> extends Promise<AddedJob> {
  /**
   * What the handler returns, as JSON carries it; rejects with a `JobResultError` when the job ends otherwise. For a job that
   * runs once: one that comes again has many results, which `eachResult` lists.
   */
  result(options?: ResultOptions): Promise<Output>;
}

/** All that a job can be added with besides. */
export type AddOptions = Omit<AddJobInput, "handler" | "payload" | "payloadJson">;

interface Client {
  addJob(job: AddJobInput): Promise<AddedJob>;
  watchJob(jobId: string, options: { readonly signal: AbortSignal }): AsyncIterable<JobState>;
}

export function startAdding(client: Client, job: AddJobInput): Adding<unknown> {
  const added = client.addJob(job);
  const result = async (options: ResultOptions = {}) => resultOf(client, (await added).jobId, options);
  return Object.assign(added, { result });
}
