import type { ElasticJobClient } from "../client/elastic-job-client.ts";
import type { JobState } from "../client/job-json.ts";

/** Calls back for each state of the job until it has ended. Returns the last one; null: it is gone. */
export async function followJob(
  client: ElasticJobClient,
  jobId: string,
  onChange: (state: JobState) => void = () => {},
): Promise<JobState | null> {
  let last: JobState | null = null;
  for await (const state of client.watchJob(jobId)) {
    last = state;
    onChange(state);
  }
  return last;
}

export function hasSucceeded(state: JobState | null): boolean {
  return state?.job.status === "JOB_STATUS_SUCCEEDED";
}
