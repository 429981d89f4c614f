import { IDEMPOTENCY_KEY, OWN_KEY } from "../../core/call-headers.ts";
import type { AddJobsRequest, AddJobsResponse } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { callerIn } from "../call-caller.ts";
import { answerOf } from "../conversion/add-outcome.ts";
import { type CallContext, isForwarded, type MasterCaller } from "../forwarding/master-call.ts";
import type { RpcLimits } from "../limits.ts";
import { roughSize } from "../message-size.ts";
import { addOnMaster } from "./add-on-master.ts";
import type { AddCall } from "./check-add-jobs.ts";

/** No master breaks of less; the size is a guess. */
const LARGE_BYTES = 256 * 1024;

/** Brings an AddJobs to the master. With a key, repeated until it is answered: the answer is the same however often it was run. */
export type DeliverAdds = (
  request: AddJobsRequest,
  call: Omit<AddCall, "forwarded">,
  context: CallContext,
) => Promise<AddJobsResponse>;

export function createDelivery(master: MasterCaller, limits: RpcLimits): DeliverAdds {
  return (request, { key, isOwnKey, isLone }, context) =>
    master.call(context, {
      repeatable: key !== null,
      mayBreak: () => roughSize(request) > LARGE_BYTES,
      onMaster: (api) =>
        addOnMaster(
          api,
          request,
          { key, isOwnKey, isLone, forwarded: isForwarded(context) },
          limits,
          callerIn(context),
        ),
      async forward(peer, options) {
        if (key !== null) options.headers.set(IDEMPOTENCY_KEY, key);
        if (isOwnKey) options.headers.set(OWN_KEY, "true");
        const response = await peer.jobs.addJobs(request, options);
        const answer = isLone ? answerOf(response.outcomes[0]) : null;
        // Here already: so a failover that it tells of is waited out.
        if (answer instanceof Error) throw answer;
        return response;
      },
    });
}
