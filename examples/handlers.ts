/**
 * A user's handlers. Try them with:
 *
 *   HANDLERS=examples/handlers.ts npm start
 *   HANDLERS=/handlers/handlers.ts docker compose up     (compose.yaml mounts this folder at /handlers)
 */
import { defineJobs, PermanentError } from "elastic-job";

export default defineJobs({
  greet: async (job, ctx) => {
    if (typeof job.payload?.name !== "string") throw new PermanentError("payload.name: must be a string");
    return { hello: job.payload.name, attempt: ctx.attempt };
  },

  /** Takes every job that has no handler of its own. */
  runJob: async (job, ctx) => ({
    ran: job.handler,
    scheduledAt: ctx.scheduledAt,
    payload: job.payload ?? null,
  }),
});
