/** A web service that adds jobs, and asks what became of them. It runs none: see README.md. */
import { serve } from "@hono/node-server";
import { createClient } from "elastic-job/client";
import { Hono } from "hono";

const client = createClient({ baseUrl: process.env["ELASTIC_JOB_URL"] ?? "http://127.0.0.1:8080" });
const app = new Hono();

app.post("/orders", async (context) => {
  const { order, email } = await context.req.json();
  const { jobId, created } = await client.addJob({
    handler: "confirm",
    payload: { order, email },
    // An order that is sent again, by a reload or a retry, finds the job that is there.
    idempotencyKey: `confirm-${order}`,
    retry: { maxAttempts: 5 },
  });
  return context.json({ jobId }, created ? 202 : 200);
});

app.get("/jobs/:jobId", async (context) => {
  const { job, lastResult } = await client.getJobStatus(context.req.param("jobId"));
  return context.json({ status: job.status, output: lastResult?.output, error: lastResult?.error?.message });
});

const server = serve({ fetch: app.fetch, port: Number(process.env["SERVICE_PORT"] ?? 3000) }, ({ port }) =>
  console.log(`orders are taken at http://127.0.0.1:${port}`),
);
process.once("SIGTERM", () => server.close());
