/**
 * Adds that arrive at a node that is not master, gathered into one AddJobs call to the master: what
 * arrives while earlier batches are under way goes together, so that batches grow with the load and a
 * lone add waits for nothing.
 *
 * Each batch has a call key of its own and always the same content, so that repeating it after a
 * failover adds nothing twice. Adds whose caller gave a key travel on their own: the key names that call.
 */
import { toBinary } from "@bufbuild/protobuf";
import type { Clock } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import {
  type AddJobOutcome,
  type AddJobRequest,
  AddJobRequestSchema,
  type AddJobResponse,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import { errorCodeOf } from "../error-codes.ts";
import type { CallContext } from "./master-call.ts";

export interface Forwarding {
  /** The answer to one AddJob. Throws what its outcome says, or `unavailable` when its time is over. */
  add(request: AddJobRequest, context: CallContext): Promise<AddJobResponse>;
}

/** Sends a batch to whoever is master, repeating it with the same key until the context's time is over. */
export type SendBatch = (
  requests: readonly AddJobRequest[],
  key: string,
  context: CallContext,
) => Promise<readonly AddJobOutcome[]>;

const MAX_BATCH_JOBS = 500;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Two: one is being committed while the next is on its way. */
const MAX_BATCHES_UNDER_WAY = 2;
const MAX_WAITING_JOBS = 20_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface WaitingAdd {
  readonly request: AddJobRequest;
  readonly bytes: number;
  readonly until: number;
  settled: boolean;
  settle(outcome: AddJobResponse | Error): void;
}

export function createForwarding(options: {
  readonly send: SendBatch;
  readonly clock: Clock;
  readonly random: Random;
  readonly defaultWaitMs: number;
  readonly maxWaitMs: number;
}): Forwarding {
  const { send, clock, random, defaultWaitMs, maxWaitMs } = options;
  let waiting: WaitingAdd[] = [];
  let waitingBytes = 0;
  let underWay = 0;

  function pump(): void {
    while (underWay < MAX_BATCHES_UNDER_WAY && waiting.length > 0) {
      const batch = takeBatch();
      if (batch.length > 0) void sendBatch(batch);
    }
  }

  /** From the front; those whose caller has left are dropped. */
  function takeBatch(): WaitingAdd[] {
    const batch: WaitingAdd[] = [];
    let bytes = 0;
    let taken = 0;
    for (const add of waiting) {
      if (!add.settled) {
        if (batch.length >= MAX_BATCH_JOBS || (batch.length > 0 && bytes + add.bytes > MAX_BATCH_BYTES))
          break;
        batch.push(add);
        bytes += add.bytes;
      }
      waitingBytes -= add.bytes;
      taken += 1;
    }
    waiting = waiting.slice(taken);
    return batch;
  }

  async function sendBatch(batch: readonly WaitingAdd[]): Promise<void> {
    underWay += 1;
    // As long as its most patient caller: the others leave on their own.
    const until = Math.max(...batch.map((add) => add.until));
    const context: CallContext = {
      // Ended by its time alone: a batch on its way when this node stops is still answered.
      signal: new AbortController().signal,
      timeoutMs: () => until - clock.monotonic(),
      requestHeader: new Headers(),
    };
    try {
      const outcomes = await send(
        batch.map((add) => add.request),
        random.id(),
        context,
      );
      batch.forEach((add, index) => add.settle(answerOf(outcomes[index])));
    } catch (error) {
      for (const add of batch) add.settle(error instanceof Error ? error : new Error(String(error)));
    } finally {
      underWay -= 1;
      pump();
    }
  }

  return {
    add(request, context) {
      const bytes = toBinary(AddJobRequestSchema, request).byteLength;
      if (waiting.length >= MAX_WAITING_JOBS || waitingBytes + bytes > MAX_WAITING_BYTES) {
        const message = `too many adds wait for the master (${waiting.length}); slow down and try again`;
        throw new ElasticJobError("resource_exhausted", message);
      }
      const ms = Math.min(context.timeoutMs() ?? defaultWaitMs, maxWaitMs);
      return new Promise<AddJobResponse>((resolve, reject) => {
        const add: WaitingAdd = {
          request,
          bytes,
          until: clock.monotonic() + ms,
          settled: false,
          settle(outcome) {
            if (add.settled) return;
            add.settled = true;
            cancel();
            context.signal.removeEventListener("abort", leave);
            if (outcome instanceof Error) reject(outcome);
            else resolve(outcome);
          },
        };
        const leave = (): void => add.settle(unknownOutcome());
        const cancel = clock.after(ms, leave);
        context.signal.addEventListener("abort", leave, { once: true });
        waiting.push(add);
        waitingBytes += bytes;
        pump();
      });
    },
  };
}

function unknownOutcome(): ElasticJobError {
  const message = "the master did not answer within the call's time; whether the job was added is not known";
  return new ElasticJobError("unavailable", message);
}

function answerOf(outcome: AddJobOutcome | undefined): AddJobResponse | ElasticJobError {
  switch (outcome?.outcome.case) {
    case "added":
      return outcome.outcome.value;
    case "failure":
      return new ElasticJobError(errorCodeOf(outcome.outcome.value.code), outcome.outcome.value.message);
    default:
      return new ElasticJobError("internal", "the master's answer has no outcome for this job");
  }
}
