/// <reference lib="dom" />
/**
 * Runs in the browser: adds a job and watches it end, with this project's client (Connect) and with Google's
 * grpc-web client in its default form, and tells the server of this page how it went.
 */
import { create, enumToJson, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { GrpcWebClientBase, MethodDescriptor } from "grpc-web";
import { createClient } from "../../src/client/client.ts";
import { type JobStatus, JobStatusSchema } from "../../src/gen/elasticjob/v1/job_pb.ts";
import {
  AddJobRequestSchema,
  type AddJobResponse,
  AddJobResponseSchema,
  WatchJobRequestSchema,
  type WatchJobResponse,
  WatchJobResponseSchema,
} from "../../src/gen/elasticjob/v1/job_service_pb.ts";

const query = new URLSearchParams(location.search);
const edge = query.get("edge") ?? "";
const token = query.get("token") ?? "";

async function withConnect(): Promise<string[]> {
  const client = createClient({ baseUrl: edge, ...(token !== "" && { token }) });
  const { jobId } = await client.addJob({ handler: "sleep", payload: { ms: 400 } });
  const states: string[] = [];
  for await (const { job } of client.watchJob(jobId)) states.push(job.status);
  return states;
}

function descriptor<Request, Answer>(
  name: string,
  type: "unary" | "server_streaming",
  write: (request: Request) => Uint8Array,
  read: (bytes: Uint8Array) => Answer,
): MethodDescriptor<Request, Answer> {
  // Google's client wants the messages' classes, and only ever makes what these two functions return.
  const message = Object as unknown as new () => never;
  return new MethodDescriptor<Request, Answer>(
    `/elasticjob.v1.JobService/${name}`,
    type,
    message,
    message,
    write,
    read,
  );
}

async function withGrpcWeb(): Promise<string[]> {
  const client = new GrpcWebClientBase({ format: "text" });
  const metadata: Record<string, string> = token === "" ? {} : { authorization: `Bearer ${token}` };
  const add = descriptor<MessageInitShape<typeof AddJobRequestSchema>, AddJobResponse>(
    "AddJob",
    "unary",
    (request) => toBinary(AddJobRequestSchema, create(AddJobRequestSchema, request)),
    (bytes) => fromBinary(AddJobResponseSchema, bytes),
  );
  const watch = descriptor<{ jobId: string }, WatchJobResponse>(
    "WatchJob",
    "server_streaming",
    (request) => toBinary(WatchJobRequestSchema, create(WatchJobRequestSchema, request)),
    (bytes) => fromBinary(WatchJobResponseSchema, bytes),
  );
  const request: MessageInitShape<typeof AddJobRequestSchema> = {
    handler: "sleep",
    payload: {
      kind: { case: "structValue", value: { fields: { ms: { kind: { case: "numberValue", value: 400 } } } } },
    },
  };
  const path = (name: string) => `${edge}/elasticjob.v1.JobService/${name}`;
  const { jobId } = await client.unaryCall(path("AddJob"), request, metadata, add);
  const states: string[] = [];
  const stream = client.serverStreaming(path("WatchJob"), { jobId }, metadata, watch);
  await new Promise<void>((resolve, reject) => {
    stream.on("data", ({ job }) => states.push(statusName(job?.status)));
    stream.on("error", reject);
    stream.on("end", resolve);
  });
  return states;
}

function statusName(status: JobStatus | undefined): string {
  return String(enumToJson(JobStatusSchema, status ?? 0));
}

async function report(): Promise<void> {
  const outcome: Record<string, unknown> = { userAgent: navigator.userAgent };
  for (const [name, run] of Object.entries({ connect: withConnect, grpcWeb: withGrpcWeb })) {
    outcome[name] = await run().catch(
      (error: unknown) => `failed: ${error instanceof Error ? error.message : error}`,
    );
  }
  await fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) });
}

void report();
