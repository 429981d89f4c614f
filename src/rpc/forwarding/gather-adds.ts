/**
 * Adds that arrive at a node that is not master, gathered into one AddJobs call to the master: what
 * arrives while earlier batches are under way goes together, so that batches grow with the load and a
 * lone add waits for nothing. A batch is one caller's: the master is told whose it is.
 *
 * Each batch has a call key of its own and always the same content, so that repeating it after a
 * failover adds nothing twice. Adds whose caller gave a key travel on their own: the key names that call.
 */
import { createContextValues } from "@connectrpc/connect";
import { type Caller, callerText } from "../../core/callers/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import { Gather } from "../../core/flow/gather.ts";
import type { AddJobOutcome, AddJobRequest, AddJobResponse } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { CALL_CALLER, callerIn } from "../call-caller.ts";
import { answerOf } from "../conversion/add-outcome.ts";
import { answerIn } from "../in-time.ts";
import { roughSize } from "../message-size.ts";
import type { CallContext } from "./master-call.ts";

export interface AddGatherer {
  /** The answer to one AddJob. Throws what its outcome says, or `unavailable` when its time is over. */
  add(request: AddJobRequest, context: CallContext): Promise<AddJobResponse>;
}

/** Sends a batch to whoever is master, repeating it with the same key until the context's time is over. */
export type SendBatch = (
  requests: readonly AddJobRequest[],
  context: CallContext,
) => Promise<readonly AddJobOutcome[]>;

const MAX_BATCH_JOBS = 500;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Of a caller. Two: one is being committed while the next is on its way. */
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

export function gatherAdds(options: {
  readonly send: SendBatch;
  readonly clock: Clock;
  readonly defaultWaitMs: number;
  readonly maxWaitMs: number;
}): AddGatherer {
  const { send, clock, defaultWaitMs, maxWaitMs } = options;
  let waitingJobs = 0;
  let waitingBytes = 0;
  /** Of each caller who has adds here. */
  const gathers = new Map<string, Gather<WaitingAdd>>();

  function addsOf(caller: Caller): Gather<WaitingAdd> {
    const key = callerText(caller);
    const known = gathers.get(key);
    if (known !== undefined) return known;
    const adds = new Gather<WaitingAdd>({
      mostBatches: MAX_BATCHES_UNDER_WAY,
      take: batchLength,
      soon: queueMicrotask,
      async run(taken) {
        waitingJobs -= taken.length;
        for (const { bytes } of taken) waitingBytes -= bytes;
        const batch = taken.filter(({ settled }) => !settled);
        if (batch.length > 0) await sendBatch(batch, caller);
      },
      idle: () => gathers.delete(key),
    });
    gathers.set(key, adds);
    return adds;
  }

  async function sendBatch(batch: readonly WaitingAdd[], caller: Caller): Promise<void> {
    // As long as its most patient caller: the others leave on their own.
    const until = Math.max(...batch.map((add) => add.until));
    const context: CallContext = {
      // Ended by its time alone: a batch on its way when this node stops is still answered.
      signal: new AbortController().signal,
      timeoutMs: () => until - clock.monotonic(),
      requestHeader: new Headers(),
      values: createContextValues().set(CALL_CALLER, caller),
    };
    try {
      const requests = batch.map((add) => add.request);
      const outcomes = await send(requests, context);
      batch.forEach((add, index) => add.settle(answerOf(outcomes[index])));
    } catch (error) {
      for (const add of batch) add.settle(error instanceof Error ? error : new Error(String(error)));
    }
  }

  return {
    add(request, context) {
      const bytes = roughSize(request);
      // The size is a guess: so one that finds nobody before it is always let in.
      const isTooMuch = waitingBytes > 0 && waitingBytes + bytes > MAX_WAITING_BYTES;
      if (waitingJobs >= MAX_WAITING_JOBS || isTooMuch) {
        const message = `too many adds wait for the master (${waitingJobs}); slow down and try again`;
        throw new ElasticJobError("resource_exhausted", message);
      }
      const ms = Math.min(answerIn(context.timeoutMs()) ?? defaultWaitMs, maxWaitMs);
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
        waitingJobs++;
        waitingBytes += bytes;
        addsOf(callerIn(context)).add(add);
      });
    },
  };
}

/** How many from the front go together; those whose callers have left do not count, and are dropped. */
function batchLength(waiting: readonly WaitingAdd[]): number {
  let jobs = 0;
  let bytes = 0;
  let count = 0;
  for (const add of waiting) {
    if (!add.settled) {
      if (jobs >= MAX_BATCH_JOBS || (jobs > 0 && bytes + add.bytes > MAX_BATCH_BYTES)) break;
      jobs++;
      bytes += add.bytes;
    }
    count++;
  }
  return count;
}

function unknownOutcome(): ElasticJobError {
  const message = "the master did not answer within the call's time; whether the job was added is not known";
  return new ElasticJobError("unavailable", message);
}
