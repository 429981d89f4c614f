/** Handlers of a contract whose schemas do all that schemas can do. */

import * as z from "zod";
import { defineContract } from "../../../../src/contract/contract.ts";
import type { StandardSchema } from "../../../../src/contract/standard-schema.ts";
import { defineJobs } from "../../../../src/jobs/define-jobs.ts";

function answering(validate: (value: unknown) => unknown): StandardSchema {
  return { "~standard": { version: 1, vendor: "test", validate: validate as never } };
}
const broken = answering(() => {
  throw new TypeError("no such table");
});
const silent = answering(() => new Promise(() => {}));

export const contract = defineContract({
  greet: {
    payload: z.object({ name: z.string(), times: z.number().default(2), at: z.coerce.date() }),
    output: z.object({ hello: z.string(), year: z.number(), at: z.date(), shown: z.boolean().default(true) }),
  },
  misreturns: { output: z.object({ items: z.array(z.number()) }) },
  broken: { payload: broken },
  brokenOutput: { output: broken },
  silent: { payload: silent },
  large: { payload: z.string().describe("x".repeat(70_000)) },
  context: {},
});

export default defineJobs(contract, {
  greet: ({ name, times, at }) => ({ hello: `${name} `.repeat(times).trim(), year: at.getUTCFullYear(), at }),
  misreturns: (payload) => payload,
  broken: () => "was called",
  brokenOutput: () => "done",
  silent: () => "was called",
  large: (text) => text,
  context: (payload, { job, attempt, signal }) => ({ payload, job, attempt, isAborted: signal.aborted }),
});
