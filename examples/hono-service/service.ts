/** A service with a node in its own process: one thing to deploy, and as many copies of it as there is work for. */
import { serve } from "@hono/node-server";
import { createClient } from "elastic-job/client";
import { parseConfig, startNode } from "elastic-job/node";
import { Hono } from "hono";

const HANDLERS = new URL("./jobs.ts", import.meta.url).pathname;
const node = await startNode(parseConfig({ ...process.env, HANDLERS }), console);
// Any node passes a call on to the master, so that each copy of the service asks its own.
const client = createClient({ baseUrl: `http://127.0.0.1:${node.port}` });

const app = new Hono();
app.post("/images/:image", async (context) => {
  const { jobId } = await client.addJob({
    handler: "thumbnail",
    payload: { image: context.req.param("image") },
    retry: { maxAttempts: 3 },
  });
  // Until it has ended, or nobody waits for it any more; the job goes on all the same.
  for await (const { job, lastResult } of client.watchJob(jobId, { signal: context.req.raw.signal })) {
    if (job.status === "JOB_STATUS_SUCCEEDED") return context.json(lastResult?.output ?? null);
  }
  return context.json({ jobId }, 502);
});

const server = serve({ fetch: app.fetch, port: Number(process.env["SERVICE_PORT"] ?? 3000) }, ({ port }) =>
  console.log(`images are taken at http://127.0.0.1:${port}`),
);

// First no more requests, then the node: it lets its jobs end, and hands the rest to the other copies.
process.once("SIGTERM", () => {
  server.close(async () => {
    await node.stop();
    process.exit();
  });
});
