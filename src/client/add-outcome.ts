/** What became of an add: from the wire to what callers are given. */
import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import type {
  AddedTable,
  AddJobFailure,
  AddJobOutcome,
  AddJobsResponse,
} from "../gen/elasticjob/v1/job_service_pb.ts";
import { withProblems } from "./error-problems.ts";
import type { AddedJob } from "./job-json.ts";

const NANOS_PER_MS = 1_000_000;

/** What became of each of `count` jobs: added, or why not. */
export function outcomesOf({ outcomes, added }: AddJobsResponse, count: number): (AddedJob | ConnectError)[] {
  return Array.from({ length: count }, (_, row) =>
    added === undefined ? outcomeOf(outcomes[row]) : (rowOf(added, row) ?? noOutcome()),
  );
}

function outcomeOf(outcome: AddJobOutcome | undefined): AddedJob | ConnectError {
  switch (outcome?.outcome.case) {
    case "added": {
      const { jobId, created = false, nextRunAt, reason } = outcome.outcome.value;
      // As `toJson` would give it, at a fraction of the cost.
      if (nextRunAt === undefined) return { jobId, created, reason };
      return { jobId, created, nextRunAt: timestampText(nextRunAt), reason };
    }
    case "failure":
      return addFailure(outcome.outcome.value);
    default:
      return noOutcome();
  }
}

function rowOf({ jobId, existed, nextRunAt, reason, text }: AddedTable, row: number): AddedJob | null {
  const id = jobId[row];
  const ms = nextRunAt[row];
  if (id === undefined || ms === undefined) return null;
  const why = reason.length === 0 ? "" : (text[reason[row] ?? 0] ?? "");
  return { jobId: String(id), created: !existed[row], nextRunAt: instantText(ms), reason: why };
}

function noOutcome(): ConnectError {
  return new ConnectError("the server sent no outcome for this job", Code.Internal);
}

export function addFailure({ code, message, problems }: AddJobFailure): ConnectError {
  return withProblems(new ConnectError(message, codeFromString(code) ?? Code.Unknown), problems);
}

/** The last one: jobs of one call are often due at the same time. */
let known = { ms: 0, text: "1970-01-01T00:00:00Z" };

function instantText(ms: number): string {
  if (ms !== known.ms) known = { ms, text: new Date(ms).toISOString().replace(".000Z", "Z") };
  return known.text;
}

function timestampText(at: Timestamp): string {
  const ms = at.nanos / NANOS_PER_MS;
  return Number.isInteger(ms) ? instantText(Number(at.seconds) * 1000 + ms) : toJson(TimestampSchema, at);
}
