/** What became of an add: from the wire to what callers are given. */
import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import type { AddJobFailure, AddJobOutcome, AddJobResponse } from "../gen/elasticjob/v1/job_service_pb.ts";
import type { AddedJob } from "./job-json.ts";

const NANOS_PER_MS = 1_000_000;

/** The job that was added, or why it was not. */
export function addedOf(outcome: AddJobOutcome | undefined): AddJobResponse | ConnectError {
  if (outcome?.outcome.case === "added") return outcome.outcome.value;
  if (outcome?.outcome.case === "failure") return addFailure(outcome.outcome.value);
  return new ConnectError("the server sent no outcome for this job", Code.Internal);
}

export function addFailure({ code, message }: AddJobFailure): ConnectError {
  return new ConnectError(message, codeFromString(code) ?? Code.Unknown);
}

/** As `toJson` would give it, at a fraction of the cost: there is one for each job. */
export function addedJob({ jobId, created, nextRunAt }: AddJobResponse): AddedJob {
  if (nextRunAt === undefined) return { jobId, created } as AddedJob;
  return { jobId, created, nextRunAt: timestampText(nextRunAt) };
}

/** The last one: jobs of one call are often due at the same time. */
let known = { ms: 0, text: "1970-01-01T00:00:00Z" };

function timestampText(at: Timestamp): string {
  const fraction = at.nanos / NANOS_PER_MS;
  if (!Number.isInteger(fraction)) return toJson(TimestampSchema, at);
  const ms = Number(at.seconds) * 1000 + fraction;
  if (ms !== known.ms) {
    const text = new Date(ms).toISOString();
    known = { ms, text: fraction === 0 ? text.replace(".000Z", "Z") : text };
  }
  return known.text;
}
