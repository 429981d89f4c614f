/** What the service's node runs; in a module of its own, as it is loaded into worker threads. */
import { defineJobs } from "elastic-job";

export default defineJobs(
  {
    thumbnail: async (job) => ({ thumbnail: `${job.payload.image}@200px` }),
    tidy: async () => ({ tidied: true }),
  },
  { set: "hono-service", schedules: { tidy: { handler: "tidy", cron: "*/15 * * * *", overlap: "skip" } } },
);
