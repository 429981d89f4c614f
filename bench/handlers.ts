/** Handlers of our nodes in a benchmark. */
import { defineJobs } from "../src/index.ts";
import { preciseNow } from "./contender.ts";

export default defineJobs({
  noop: () => undefined,
  /** Its output is how late it started, in milliseconds. */
  stamp: (job) => preciseNow() - job.payload.stamp,
});
