/// <reference lib="dom" />
/**
 * Runs in the browser: adds a job and watches it end, with this project's client (Connect) and with Google's
 * grpc-web client in its default form, and tells the server of this page how it went.
 */
import { enumToJson, fromBinary, toBinary } from "@bufbuild/protobuf";
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

/** A message as Google's client wants it: a class. It only ever makes what the descriptor's functions return. */
class AnyMessage {}

function descriptor<Request, Answer>(
  name: string,
  type: "unary" | "server_streaming",
  write: (request: Request) => Uint8Array,
  read: (bytes: Uint8Array) => Answer,
): MethodDescriptor<Request, Answer> {
  const message = AnyMessage as new () => never;
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
  const add = descriptor<object, AddJobResponse>(
    "AddJob",
    "unary",
    (request) =>
      toBinary(AddJobRequestSchema, { $typeName: "elasticjob.v1.AddJobRequest", ...request } as never),
    (bytes) => fromBinary(AddJobResponseSchema, bytes),
  );
  const watch = descriptor<{ jobId: string }, WatchJobResponse>(
    "WatchJob",
    "server_streaming",
    ({ jobId }) => toBinary(WatchJobRequestSchema, { $typeName: "elasticjob.v1.WatchJobRequest", jobId }),
    (bytes) => fromBinary(WatchJobResponseSchema, bytes),
  );
  const request = {
    name: "from Google's client",
    handler: "sleep",
    idempotencyKey: "",
    misfire: 0,
    priority: 0,
    schedule: { case: undefined },
    payload: { $typeName: "google.protobuf.Value", kind: { case: "numberValue", value: 400 } },
  };
  const path = (name: string) => `${edge}/elasticjob.v1.JobService/${name}`;
  const { jobId } = await client.thenableCall(path("AddJob"), request, metadata, add);
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
