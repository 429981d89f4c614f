/** A client of another make, which knows the project's .proto files and nothing else of it. */
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

export type Unary<Answer> = (
  request: object,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, answer: Answer) => void,
) => void;
export type ServerStream<Answer> = (
  request: object,
  metadata?: grpc.Metadata,
) => grpc.ClientReadableStream<Answer>;

/** `root`: the folder that holds `proto/`. */
export function protoClient<Methods>(root: string, address: string): grpc.Client & Methods {
  const definition = loadSync("elasticjob/v1/job_service.proto", {
    includeDirs: [join(root, "proto")],
    enums: String,
    longs: String,
  });
  const service = definition["elasticjob.v1.JobService"] as grpc.ServiceDefinition;
  const JobClient = grpc.makeGenericClientConstructor(service, "JobService");
  return new JobClient(address, grpc.credentials.createInsecure()) as grpc.Client & Methods;
}
