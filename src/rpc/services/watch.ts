/**
 * Watching a job, at any node: on the master from its own news, else through it. When the master goes
 * away the watch goes on with the next one, which starts again with the job as it stands.
 */
import type { Clock } from "../../core/clock.ts";
import type { WatchJobRequest, WatchJobResponse } from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { JobView } from "../../master/job-api.ts";
import { notRun } from "../error-codes.ts";
import { forwardFailure, localFailure } from "../forwarding/call-failure.ts";
import { type CallContext, isForwarded, type MasterCaller } from "../forwarding/master-call.ts";
import type { RpcLimits } from "../limits.ts";

const PAUSE_MS = 200;

export async function* watchThroughMaster(
  request: WatchJobRequest,
  context: CallContext,
  options: {
    readonly master: MasterCaller;
    readonly clock: Clock;
    readonly limits: RpcLimits;
    readonly closing: AbortSignal;
    readonly jobId: number;
    readonly toMessage: (view: JobView) => Promise<WatchJobResponse>;
  },
): AsyncGenerator<WatchJobResponse> {
  const { master, clock, limits, closing } = options;
  const signal = AbortSignal.any([context.signal, closing]);
  const deadline = (): number => clock.monotonic() + limits.defaultWaitMs;
  let giveUpAt = deadline();
  for (;;) {
    const target = await master.locate(context, giveUpAt);
    try {
      if (target.kind === "there") {
        const timeoutMs = context.timeoutMs();
        const call = {
          signal,
          headers: master.forwardHeaders(context),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        };
        for await (const message of target.peer.jobs.watchJob(request, call)) {
          giveUpAt = deadline();
          yield message;
        }
      } else {
        for await (const view of target.api.watchJob(options.jobId, signal)) {
          giveUpAt = deadline();
          yield await options.toMessage(view);
        }
      }
      if (!closing.aborted) return;
    } catch (error) {
      context.signal.throwIfAborted();
      const failure = target.kind === "here" ? localFailure(error) : forwardFailure(error);
      if (!closing.aborted && (!failure.unavailable || isForwarded(context))) throw failure.error;
      if (clock.monotonic() >= giveUpAt) throw failure.error;
    }
    if (closing.aborted) throw notRun("this node is stopping; watch at another one");
    await master.pause(context, PAUSE_MS);
  }
}
