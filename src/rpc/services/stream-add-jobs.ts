/**
 * AddJobs on a stream: each request is answered when it is done, whichever came first. Its errors are its
 * answer; only what nobody foresaw ends the stream.
 */
import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { Clock } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import { WakeableQueue } from "../../core/flow/wakeable-queue.ts";
import type { WhyNotReady } from "../../core/readiness/why-not-ready.ts";
import {
  type AddJobsRequest,
  AddJobsRequestSchema,
  type AddJobsResponse,
  type StreamAddJobsRequest,
  type StreamAddJobsResponse,
  StreamAddJobsResponseSchema,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import { toConnectError } from "../error-codes.ts";
import { checkCallKey } from "../forwarding/call-key.ts";
import type { CallContext } from "../forwarding/master-call.ts";
import { inTime } from "../in-time.ts";
import type { StreamedRequest } from "../large-request.ts";
import { withReason } from "../with-reason.ts";

/** What one stream may have open, read and not answered or answered and not taken: then it is not read on. */
const MAX_REQUESTS = 64;
/** One request may exceed it. */
const MAX_JOBS = 20_000;

type Add = (request: AddJobsRequest, key: string | null, context: CallContext) => Promise<AddJobsResponse>;

type Streamed = StreamedRequest<StreamAddJobsRequest>;

interface Answered {
  readonly answer: StreamAddJobsResponse;
  /** How many were asked for. */
  readonly jobs: number;
  /** Its request is not held any longer. */
  readonly release: () => void;
}

export async function* answerAdds(
  requests: AsyncIterable<StreamAddJobsRequest>,
  context: CallContext,
  options: {
    /** Each request in turn, as it was sent. */
    readonly whole: (request: StreamAddJobsRequest) => Streamed | Promise<Streamed>;
    readonly add: Add;
    readonly clock: Clock;
    readonly closing: AbortSignal;
    readonly whyNotReady: WhyNotReady;
  },
): AsyncGenerator<StreamAddJobsResponse> {
  const { closing } = options;
  const answers = new WakeableQueue<Answered>();
  let openRequests = 0;
  let openJobs = 0;
  let isReading = true;
  let failure: { readonly error: unknown } | null = null;
  let wakeReader = () => {};

  const isEnding = () => closing.aborted || context.signal.aborted || failure !== null;
  const isFull = () => openRequests >= MAX_REQUESTS || openJobs >= MAX_JOBS;
  const closeWhenDone = () => {
    const isDone = openRequests === 0 && (!isReading || closing.aborted);
    if (isDone || context.signal.aborted || failure !== null) answers.close();
  };

  async function start({ request, release }: Streamed): Promise<void> {
    const jobs = countOf(request);
    openRequests++;
    openJobs += jobs;
    try {
      answers.push({ answer: await answerOf(request, context, options), jobs, release });
    } catch (error) {
      release();
      failure ??= { error };
      closeWhenDone();
    }
  }

  async function read(): Promise<void> {
    try {
      for await (const request of requests) {
        // One that comes too late is not begun: its answer would have no way back.
        if (isEnding()) return;
        const whole = options.whole(request);
        void start(whole instanceof Promise ? await whole : whole);
        while (isFull() && !isEnding()) {
          await new Promise<void>((resolve) => {
            wakeReader = resolve;
          });
        }
      }
    } catch (error) {
      failure ??= { error };
    } finally {
      isReading = false;
      closeWhenDone();
    }
  }

  // Also when the caller goes: what waits for it to take an answer may not be told.
  const end = () => {
    closing.removeEventListener("abort", end);
    wakeReader();
    closeWhenDone();
  };
  closing.addEventListener("abort", end);
  context.signal.addEventListener("abort", end, { once: true });
  void read();
  try {
    for await (const { answer, jobs, release } of answers) {
      release();
      yield answer;
      openRequests--;
      openJobs -= jobs;
      wakeReader();
      closeWhenDone();
    }
    context.signal.throwIfAborted();
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
  } finally {
    end();
  }
}

function countOf({ request }: StreamAddJobsRequest): number {
  return request?.table?.template.length ?? request?.jobs.length ?? 0;
}

async function answerOf(
  { call, idempotencyKey, request, timeoutMs }: StreamAddJobsRequest,
  context: CallContext,
  { add, clock, whyNotReady }: Pick<Parameters<typeof answerAdds>[2], "add" | "clock" | "whyNotReady">,
): Promise<StreamAddJobsResponse> {
  const deadline = timeoutMs === 0 ? null : clock.monotonic() + timeoutMs;
  const ownContext: CallContext = {
    signal: context.signal,
    requestHeader: context.requestHeader,
    values: context.values,
    timeoutMs: () => (deadline === null ? undefined : Math.max(1, deadline - clock.monotonic())),
  };
  try {
    const key = checkCallKey("idempotencyKey", idempotencyKey === "" ? null : idempotencyKey);
    const adding = add(request ?? create(AddJobsRequestSchema), key, ownContext);
    const response = await inTime(clock, ownContext.timeoutMs(), adding);
    return { $typeName: "elasticjob.v1.StreamAddJobsResponse", call, response };
  } catch (error) {
    return create(StreamAddJobsResponseSchema, { call, failure: failureOf(error, whyNotReady) });
  }
}

function failureOf(error: unknown, whyNotReady: WhyNotReady): { code: string; message: string } {
  const isForeseen = error instanceof ElasticJobError && error.code !== "internal";
  const failure = isForeseen ? toConnectError(error) : error;
  if (!(failure instanceof ConnectError)) throw error;
  const { code, rawMessage: message } = withReason(failure, whyNotReady);
  return { code: codeToString(code), message };
}
