import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { ElasticJobError } from "../../../src/core/errors.ts";
import { JobStatus } from "../../../src/gen/elasticjob/v1/job_pb.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

afterEach(stopNodes);

/** A follower's service, and the master behind it, with one job that is due in a minute. */
async function behindFollower(): Promise<{
  master: TestNode;
  jobs: Client<typeof JobService>;
  jobId: string;
}> {
  const master = await startNode();
  const follower = await startNode({ role: { kind: "follower", master: master.asMaster } });
  const jobs = createClient(JobService, createConnectTransport({ baseUrl: follower.url, httpVersion: "2" }));
  const when = { case: "delay" as const, value: { seconds: 60n } };
  const { jobId } = await jobs.addJob({ handler: "echo", schedule: { case: "timed", value: { when } } });
  return { master, jobs, jobId };
}

/** The first call of a method is done, but its answer is lost. */
function loseFirstAnswer(master: TestNode, method: "pauseJob" | "cancelJob" | "triggerJob"): () => number {
  const real = master.api[method] as (...args: unknown[]) => Promise<unknown>;
  let calls = 0;
  master.api[method] = async (...args: unknown[]): Promise<never> => {
    const answer = await real(...args);
    if (calls++ === 0) throw new ElasticJobError("unavailable", "the mastership ended");
    return answer as never;
  };
  return () => calls;
}

describe("the methods that act on one job", () => {
  test("reach the master through a follower, and answer with the job as it then is", async () => {
    const { jobs, jobId } = await behindFollower();
    const statuses = [
      (await jobs.pauseJob({ jobId })).job,
      (await jobs.resumeJob({ jobId })).job,
      (await jobs.cancelJob({ jobId, scheduledAt: timestampFromMs(5) })).job,
      (await jobs.cancelJob({ jobId })).job,
      (await jobs.retryJob({ jobId })).job,
    ].map((job) => job?.status);
    const { WAITING, PAUSED, CANCELLED } = JobStatus;
    expect(statuses).toEqual([PAUSED, WAITING, WAITING, CANCELLED, WAITING]);
    expect((await jobs.triggerJob({ jobId })).job).toMatchObject({ parentId: jobId });
  });

  test("name the field that is wrong, and the job that is not there", async () => {
    const { jobs } = await behindFollower();
    for (const method of ["pauseJob", "resumeJob", "triggerJob", "cancelJob", "retryJob"] as const) {
      const code = async (jobId: string) =>
        jobs[method]({ jobId }).then(
          () => null,
          (error) => ConnectError.from(error).code,
        );
      expect([await code(""), await code("99")]).toEqual([Code.InvalidArgument, Code.NotFound]);
    }
    const wrong = jobs.cancelJob({ jobId: "1", scheduledAt: { seconds: 1n << 60n, nanos: 0 } });
    await expect(wrong).rejects.toThrow(/scheduledAt: /);
  });

  test("are repeated after a lost answer where that is as good as once", async () => {
    const { master, jobs, jobId } = await behindFollower();
    const pauses = loseFirstAnswer(master, "pauseJob");
    expect((await jobs.pauseJob({ jobId })).job?.status).toBe(JobStatus.PAUSED);
    expect(pauses()).toBe(2);
    const triggers = loseFirstAnswer(master, "triggerJob");
    const before = master.api.jobs.size;
    await jobs.triggerJob({ jobId }, { headers: { "Idempotency-Key": "mine" } });
    expect([triggers(), master.api.jobs.size]).toEqual([2, before + 1]);
  });

  test("are not repeated where that would do more", async () => {
    const { master, jobs, jobId } = await behindFollower();
    const cancels = loseFirstAnswer(master, "cancelJob");
    await expect(jobs.cancelJob({ jobId })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(cancels()).toBe(1);
    const triggers = loseFirstAnswer(master, "triggerJob");
    await expect(jobs.triggerJob({ jobId })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(triggers()).toBe(1);
  });
});

test("a delay counts from cluster time, not from the wall clock of the node that is master", async () => {
  const { master, jobs } = await behindFollower();
  master.api.clusterAheadMs = 3_600_000;
  const when = { case: "delay" as const, value: { seconds: 60n } };
  const startedAt = Date.now();
  const { nextRunAt } = await jobs.addJob({ handler: "echo", schedule: { case: "timed", value: { when } } });
  expect(Number(nextRunAt?.seconds) * 1000).toBeGreaterThan(startedAt + 3_600_000);
});
