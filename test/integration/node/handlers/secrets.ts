/** Handlers that show what they were given, in every way that there is. */
import { readFileSync } from "node:fs";
import type { StandardSchema } from "../../../../src/contract/standard-schema.ts";
import { defineJobs, type HandlerJob } from "../../../../src/jobs/define-jobs.ts";

const keyOf = ({ payload }: HandlerJob): string => payload.key;

const shouting = (before: string): StandardSchema => ({
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => ({
      issues: [{ message: `${before}${(value as { key: string }).key} is none of ours` }],
    }),
  },
});

export default defineJobs({
  // A schema may tell what it was given.
  ...defineJobs(
    { shouts: { payload: shouting("") }, shoutsMuch: { payload: shouting("x".repeat(8_150)) } },
    { shouts: () => 1, shoutsMuch: () => 1 },
  ),
  returns: (job) => ({ [keyOf(job)]: [job.payload, job.payloadText] }),
  measures: (job) => keyOf(job).length,
  throws: (job) => {
    const error = new Error(`no: ${keyOf(job)}`, { cause: new Error(`because of ${keyOf(job)}`) });
    error.name = keyOf(job);
    throw error;
  },
  throwsText: (job) => {
    throw keyOf(job);
  },
  // The mark of a cut would stand in the middle of it.
  returnsMuch: (job) => "x".repeat(8_170) + keyOf(job) + "x".repeat(1 << 20),
  throwsMuch: (job) => {
    throw new Error("x".repeat(8_170) + keyOf(job));
  },
  basic: (job) => btoa(`user:${keyOf(job)}`),
  // Node and V8 shorten what they show.
  allocates: (job) => Buffer.alloc(keyOf(job) as unknown as number).length,
  parses: (job) => JSON.parse(keyOf(job)),
  reads: ({ payload }) => readFileSync(payload.path, "utf8"),
  rejects: (job) => {
    void Promise.reject(new Error(`nobody waits for ${keyOf(job)}`));
    return new Promise(() => {});
  },
});
