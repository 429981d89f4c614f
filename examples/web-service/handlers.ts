/** What the node runs: HANDLERS=examples/web-service/handlers.ts npm start */
import { defineJobs, PermanentError } from "elastic-job";

export default defineJobs({
  confirm: async (job, ctx) => {
    const { order, email } = job.payload;
    if (!String(email).includes("@")) throw new PermanentError(`payload.email: ${email} is no address`);
    // A mail service that is told the key sends the mail once, however often the job has to run.
    return { order, to: email, key: ctx.idempotencyKey };
  },
});
