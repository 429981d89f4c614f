/** A client of another make, from the project's .proto files, on one of the ports that nodes publish. */
import * as grpc from "@grpc/grpc-js";
import { protoClient, type ServerStream, type Unary } from "../fixtures/proto-client.ts";

type Answer = { readonly jobId?: string; readonly job?: { readonly status: string } };

const LIMIT_MS = 10_000;

/** Adds a job and watches it; returns the states that it was seen in. */
export async function addAndWatch(root: string, address: string, token: string): Promise<string[]> {
  const client = protoClient<{ AddJob: Unary<Answer>; WatchJob: ServerStream<Answer> }>(root, address);
  const metadata = new grpc.Metadata();
  if (token !== "") metadata.set("authorization", `Bearer ${token}`);
  try {
    const { jobId } = await new Promise<Answer>((resolve, reject) => {
      client.AddJob(
        { handler: "sleep", payload: { structValue: { fields: { ms: { numberValue: 300 } } } } },
        metadata,
        { deadline: Date.now() + LIMIT_MS },
        (error, answer) => (error === null ? resolve(answer) : reject(error)),
      );
    });
    const states: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const stream = client.WatchJob({ jobId }, metadata);
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
