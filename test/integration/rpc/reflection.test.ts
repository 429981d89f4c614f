/** What gRPC's reflection tells, asked by a tool of another make, and question by question. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServerReflection } from "../../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as OlderReflection } from "../../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { within } from "../../fixtures/real-time.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";

const BUF = join(import.meta.dirname, "../../../node_modules/.bin/buf");
const TOKENS = [
  { name: "reader", role: "read", token: "a-token-of-tests-that-reads" },
  { name: "writer", role: "write", token: "a-token-of-tests-that-writes" },
] as const;
const [READER, WRITER] = TOKENS.map(({ token }) => `Authorization: Bearer ${token}`);

let node: TestNode;
let guarded: TestNode;
beforeAll(async () => {
  node = await startNode();
  guarded = await startNode({ credentials: { tokens: () => TOKENS, isOpen: false } });
});
afterAll(stopNodes);

/** In a folder without a proto: it knows only what it is told. */
function bufCurl(url: string, ...args: string[]) {
  const all = ["curl", "--http2-prior-knowledge", "--protocol", "grpc", ...args, url];
  return promisify(execFile)(BUF, all, { cwd: tmpdir() });
}

describe.each(["grpc-v1", "grpc-v1alpha"])("buf curl by %s", (version) => {
  const by = ["--reflect-protocol", version];

  test("lists the public services, and none between nodes", async () => {
    const { stdout } = await bufCurl(node.url, ...by, "--list-services");
    expect(stdout.trim().split("\n").toSorted()).toEqual([
      "elasticjob.v1.ClusterService",
      "elasticjob.v1.JobService",
      "grpc.health.v1.Health",
    ]);
  });

  test("adds a job and reads it", async () => {
    const path = `${node.url}/elasticjob.v1.JobService`;
    const job =
      '{"handler": "echo", "daily": {"at": "08:30"}, "timeout": "5s", "payload": {"deep": [1, null]}}';
    const { stdout } = await bufCurl(`${path}/AddJob`, ...by, "-d", job);
    const { jobId } = JSON.parse(stdout);
    const read = await bufCurl(`${path}/GetJobStatus`, ...by, "-d", JSON.stringify({ jobId }));
    expect(JSON.parse(read.stdout)).toMatchObject({
      job: { handler: "echo", timeout: "5s", payload: { deep: [1, null] } },
    });
  });

  test("shows the details of an error", async () => {
    const call = bufCurl(`${node.url}/elasticjob.v1.JobService/AddJob`, ...by, "-d", "{}");
    await expect(call).rejects.toMatchObject({ stderr: expect.stringContaining("google.rpc.BadRequest") });
  });

  test("needs a token that may read, where there are tokens", async () => {
    const list = (...header: string[]) => bufCurl(guarded.url, ...by, "--list-services", ...header);
    await expect(list()).rejects.toMatchObject({ stderr: expect.stringContaining("API token") });
    expect((await list("--reflect-header", READER ?? "")).stdout).toContain("elasticjob.v1.JobService");
    const add = bufCurl(
      `${guarded.url}/elasticjob.v1.JobService/AddJob`,
      ...[...by, "--reflect-header", READER ?? "", "-H", WRITER ?? "", "-d", '{"handler": "echo"}'],
    );
    expect(JSON.parse((await add).stdout)).toMatchObject({ created: true });
  });
});

type Asked = Parameters<typeof ask>[1][number];

/** What is answered to each question on one stream. */
async function ask(
  service: typeof ServerReflection | typeof OlderReflection,
  questions: readonly { case: string; value: unknown }[],
) {
  const client = createClient(service as typeof ServerReflection, createGrpcTransport({ baseUrl: node.url }));
  async function* requests() {
    for (const messageRequest of questions) yield { host: "h", messageRequest: messageRequest as never };
  }
  const answers = await Array.fromAsync(client.serverReflectionInfo(requests()));
  return answers.map(({ messageResponse, originalRequest, validHost }) => {
    expect([validHost, originalRequest?.host]).toEqual(["h", "h"]);
    return messageResponse;
  });
}

function filesIn(answer: Awaited<ReturnType<typeof ask>>[number] | undefined): FileDescriptorProto[] {
  if (answer?.case !== "fileDescriptorResponse") throw new Error(`no file: ${JSON.stringify(answer)}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

describe.each([ServerReflection, OlderReflection])("$typeName", (service) => {
  test("tells a file with all that it needs, and each of these once on a stream", async () => {
    const [first, second] = await ask(service, [
      { case: "fileByFilename", value: "elasticjob/v1/job_service.proto" },
      { case: "fileByFilename", value: "elasticjob/v1/job.proto" },
    ]);
    const files = filesIn(first);
    const registry = createFileRegistry({ $typeName: "google.protobuf.FileDescriptorSet", file: files });
    expect(registry.getService("elasticjob.v1.JobService")?.methods.length).toBeGreaterThan(10);
    expect(filesIn(second).map(({ name }) => name)).toEqual(["elasticjob/v1/job.proto"]);
  });

  test.each([
    ["elasticjob.v1.JobService", "elasticjob/v1/job_service.proto"],
    ["elasticjob.v1.JobService.AddJob", "elasticjob/v1/job_service.proto"],
    ["elasticjob.v1.Job.payload_json", "elasticjob/v1/job.proto"],
    ["elasticjob.v1.Job.schedule", "elasticjob/v1/job.proto"],
    ["elasticjob.v1.Job", "elasticjob/v1/job.proto"],
    ["elasticjob.v1.JobStatus", "elasticjob/v1/job.proto"],
    ["elasticjob.v1.JOB_STATUS_RUNNING", "elasticjob/v1/job.proto"],
    ["grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"],
    ["grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"],
    ["google.protobuf.Value", "google/protobuf/struct.proto"],
  ])("finds %s", async (value, name) => {
    const [answer] = await ask(service, [{ case: "fileContainingSymbol", value }]);
    expect(filesIn(answer).at(-1)?.name).toBe(name);
  });

  test.each<[string, Asked, number]>([
    ["a file between nodes", { case: "fileByFilename", value: "elasticjob/v1/node_service.proto" }, 5],
    ["a service between nodes", { case: "fileContainingSymbol", value: "elasticjob.v1.NodeService" }, 5],
    ["a message between nodes", { case: "fileContainingSymbol", value: "elasticjob.v1.ProveRequest" }, 5],
    ["a long name", { case: "fileContainingSymbol", value: "x".repeat(100_000) }, 5],
    ["an extension", { case: "fileContainingExtension", value: { containingType: "elasticjob.v1.Job" } }, 5],
    ["extensions of no message", { case: "allExtensionNumbersOfType", value: "elasticjob.v1.Jobs" }, 5],
    ["nothing", { case: undefined as never, value: undefined }, 3],
  ])("answers that %s is not there, and goes on", async (_, question, errorCode) => {
    const [refused, next] = await ask(service, [question, { case: "listServices", value: "" }]);
    if (refused?.case !== "errorResponse") throw new Error("it was found");
    expect(refused.value.errorCode).toBe(errorCode);
    expect(refused.value.errorMessage.length).toBeLessThan(200);
    expect(next?.case).toBe("listServicesResponse");
  });

  test("tells that a message has no extensions", async () => {
    const [answer] = await ask(service, [{ case: "allExtensionNumbersOfType", value: "elasticjob.v1.Job" }]);
    expect(answer).toMatchObject({ value: { baseTypeName: "elasticjob.v1.Job", extensionNumber: [] } });
  });
});

test("a stream on which nothing is asked ends with the node, and counts among those that last", async () => {
  const small = await startNode({ limits: { maxStreams: 1 } });
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: small.url }));
  const never = new AbortController();
  async function* asked() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    await new Promise((resolve) => never.signal.addEventListener("abort", resolve));
  }
  const stream = client.serverReflectionInfo(asked())[Symbol.asyncIterator]();
  await stream.next();
  const another = client.serverReflectionInfo(asked())[Symbol.asyncIterator]();
  await expect(another.next()).rejects.toMatchObject({ code: Code.ResourceExhausted });
  const end = stream.next();
  const closed = small.server.close(10_000);
  expect(await within(2_000, "the stream ends", end)).toMatchObject({ done: true });
  never.abort();
  await within(2_000, "the node is closed", closed);
});
