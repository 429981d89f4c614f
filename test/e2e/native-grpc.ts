/** A client of another make, from the project's .proto files, on one of the ports that nodes publish. */
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

type Answer = { readonly jobId?: string; readonly job?: { readonly status: string } };
type Unary = (
  request: object,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, answer: Answer) => void,
) => void;
type ServerStream = (request: object, metadata: grpc.Metadata) => grpc.ClientReadableStream<Answer>;

const LIMIT_MS = 10_000;

/** Adds a job and watches it; returns the states that it was seen in. */
export async function addAndWatch(root: string, address: string, token: string): Promise<string[]> {
  const definition = loadSync("elasticjob/v1/job_service.proto", {
    includeDirs: [join(root, "proto")],
    enums: String,
    longs: String,
  });
  const service = definition["elasticjob.v1.JobService"] as grpc.ServiceDefinition;
  const JobClient = grpc.makeGenericClientConstructor(service, "JobService");
  const client = new JobClient(address, grpc.credentials.createInsecure());
  const methods = client as unknown as { AddJob: Unary; WatchJob: ServerStream };
  const metadata = new grpc.Metadata();
  if (token !== "") metadata.set("authorization", `Bearer ${token}`);
  try {
    const { jobId } = await new Promise<Answer>((resolve, reject) => {
      methods.AddJob(
        { handler: "sleep", payload: { structValue: { fields: { ms: { numberValue: 300 } } } } },
        metadata,
        { deadline: Date.now() + LIMIT_MS },
        (error, answer) => (error === null ? resolve(answer) : reject(error)),
      );
    });
    const states: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const stream = methods.WatchJob({ jobId }, metadata);
      const limit = setTimeout(() => stream.cancel(), LIMIT_MS);
      stream.on("data", ({ job }) => states.push(job?.status ?? ""));
      stream.on("error", reject);
      stream.on("end", () => {
        clearTimeout(limit);
        resolve();
      });
    });
    return states;
  } finally {
    client.close();
  }
}
