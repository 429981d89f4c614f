import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient as createTypedClient } from "../../../src/client/client.ts";
import { JobService, PutOutcome } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { type StoredCluster, startStoredCluster } from "../../fixtures/rpc-node/stored-cluster.ts";

let cluster: StoredCluster;
beforeAll(async () => {
  cluster = await startStoredCluster();
});
afterAll(() => cluster.close());

const { CREATED, UPDATED, UNCHANGED } = PutOutcome;

test("is served in every protocol, at the master and through a follower", async () => {
  const { node, follower } = cluster;
  for (const [index, { url }] of [node, follower].entries()) {
    const options = { baseUrl: url, httpVersion: "2" as const };
    const transports: Transport[] = [
      createConnectTransport({ ...options, useBinaryFormat: true }),
      createConnectTransport({ ...options, useBinaryFormat: false }),
      createGrpcTransport({ baseUrl: url }),
      createGrpcWebTransport(options),
    ];
    for (const [of, transport] of transports.entries()) {
      const jobs = createClient(JobService, transport);
      const idempotencyKey = `put ${index} ${of}`;
      const job = {
        handler: "work",
        schedule: { case: "interval", value: { every: { seconds: 90n } } },
      } as const;
      const put = await jobs.putJob({ idempotencyKey, job });
      expect(put).toMatchObject({ outcome: CREATED, revision: 0 });
      expect(put.nextRunAt).toBeDefined();
      const { jobId } = put;
      expect(await jobs.putJob({ idempotencyKey, job })).toMatchObject({
        jobId,
        outcome: UNCHANGED,
        revision: 0,
      });
      const other = { ...job, priority: 3 };
      expect(await jobs.putJob({ idempotencyKey, job: other })).toMatchObject({
        jobId,
        outcome: UPDATED,
        revision: 1,
      });
    }
  }
});

test("the typed client puts by key, takes durations as people write them, and says what was wrong", async () => {
  const client = createTypedClient({ baseUrl: cluster.follower.url });
  const job = { handler: "work", interval: { every: "1h30m" } } as const;
  const { jobId, outcome, revision } = await client.putJob("typed", job);
  expect({ outcome, revision }).toEqual({ outcome: "PUT_OUTCOME_CREATED", revision: 0 });
  await client.pauseJob(jobId);
  const again = await client.putJob("typed", job);
  expect(again).toMatchObject({ jobId, outcome: "PUT_OUTCOME_UNCHANGED" });
  expect(again.nextRunAt).toBeUndefined();
  await expect(client.putJob("", job)).rejects.toThrow("idempotencyKey: is required");
  await expect(client.putJob("bad", { handler: "work", cron: { expression: "x" } })).rejects.toThrow(
    "cron.expression",
  );
});

test("a payload that is decoded in slices is put whole", async () => {
  const client = createTypedClient({ baseUrl: cluster.node.url });
  const payload = { text: "x".repeat(700_000), exact: 3889108265204450030n };
  const { jobId } = await client.putJob("large", {
    handler: "work",
    payload,
    timed: { runAt: "2099-01-01T00:00:00Z" },
  });
  const { job } = await client.getJobStatus(jobId);
  expect(job.payloadJson).toContain("3889108265204450030");
  const again = await client.putJob("large", {
    handler: "work",
    payload,
    timed: { runAt: "2099-01-01T00:00:00Z" },
  });
  expect(again.outcome).toBe("PUT_OUTCOME_UNCHANGED");
});
