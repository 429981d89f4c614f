import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { STORED_STATUS } from "../../../src/core/job.ts";
import { protoClient, type ServerStream, type Unary } from "../../fixtures/proto-client.ts";
import { within } from "../../fixtures/real-time.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

type Answer = Record<string, unknown>;
type Call = Unary<Answer>;

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

let node: TestNode;
let client: grpc.Client & { AddJob: Call; GetJobStatus: Call; WatchJob: ServerStream<Answer> };
beforeAll(async () => {
  node = await startNode();
  client = protoClient(ROOT, node.address);
});
afterAll(async () => {
  client.close();
  await stopNodes();
});

function call(method: "AddJob" | "GetJobStatus", request: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + 5000 };
    client[method](request, new grpc.Metadata(), options, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

test("a client generated from the project's proto by another library adds and reads a job", async () => {
  const payload = { structValue: { fields: { n: { numberValue: 1 } } } };
  const { jobId, created } = await call("AddJob", { handler: "echo", payload });
  expect(created).toBe(true);
  const { job } = await call("GetJobStatus", { jobId });
  expect(job).toMatchObject({ jobId, handler: "echo", status: "JOB_STATUS_PREPARED" });
});

test("errors arrive with their gRPC code and message", async () => {
  await expect(call("AddJob", {})).rejects.toMatchObject({
    code: grpc.status.INVALID_ARGUMENT,
    details: expect.stringMatching(/^handler: /),
  });
  await expect(call("GetJobStatus", { jobId: "999999" })).rejects.toMatchObject({
    code: grpc.status.NOT_FOUND,
  });
});

test("WatchJob streams each state until the job has ended", async () => {
  const { jobId } = await call("AddJob", { handler: "echo" });
  const stream = client.WatchJob({ jobId });
  const seen: unknown[] = [];
  stream.on("data", (message: { job: { status: string } }) => {
    seen.push(message.job.status);
    if (seen.length === 1) node.api.setStatus(Number(jobId), STORED_STATUS.FAILED);
  });
  const end = new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject));
  await within(5000, "the stream ends", end);
  expect(seen).toEqual(["JOB_STATUS_PREPARED", "JOB_STATUS_FAILED"]);
});
