/** Adds a job for a handler of this node, through whoever is master: tried again until it is answered, or nobody waits for it. */
import { Code, ConnectError } from "@connectrpc/connect";
import { fromInput } from "../client/json-message.ts";
import { type Clock, sleep } from "../core/clock.ts";
import { ElasticJobError, isError } from "../core/errors.ts";
import {
  type AddJobRequest,
  AddJobRequestSchema,
  type AddJobResponse,
} from "../gen/elasticjob/v1/job_service_pb.ts";

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;

export interface ChildAdding {
  readonly add: (request: AddJobRequest, signal: AbortSignal) => Promise<AddJobResponse>;
  readonly clock: Clock;
}

/** `json`: an AddJobRequest with a key of its own, so that it can be repeated. Throws what is wrong with it, as an ElasticJobError where its code is known. */
export async function addChild(
  json: string,
  { add, clock }: ChildAdding,
  signal: AbortSignal,
): Promise<string> {
  const request = readRequest(json);
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return (await add(request, signal)).jobId;
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
    }
    await sleep(clock, waitMs, signal);
    signal.throwIfAborted();
  }
}

function readRequest(json: string): AddJobRequest {
  try {
    return fromInput(AddJobRequestSchema, json);
  } catch (error) {
    throw new ElasticJobError("invalid_argument", ConnectError.from(error).rawMessage, { cause: error });
  }
}

/** A failover, or a master that has too much to do. */
function isPassing(error: unknown): boolean {
  if (isError(error, "unavailable") || isError(error, "resource_exhausted")) return true;
  if (!(error instanceof ConnectError)) return false;
  return [Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded].includes(error.code);
}
