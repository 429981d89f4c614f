/** Handlers that take and give numbers that JavaScript has not. */
import { defineJobs } from "../../../../src/jobs/define-jobs.ts";

export default defineJobs({
  given: (job) => [job.payloadText ?? null, job.payload],
  next: (job) => {
    const ids: bigint[] = [];
    JSON.parse(job.payloadText ?? "", (key, value: unknown, context?: { source?: string }) => {
      if (key === "id") ids.push(BigInt(context?.source ?? 0));
      return value;
    });
    return { next: ids.map((id) => id + 1n) };
  },
});
