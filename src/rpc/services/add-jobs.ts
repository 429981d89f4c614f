/**
 * Where adds come in, at any node and by any call: AddJob is an AddJobs of one. At a node that is not master those without
 * a key go together, or get one of this node's own.
 */
import { create } from "@bufbuild/protobuf";
import { OWN_KEY } from "../../core/call-headers.ts";
import type { Random } from "../../core/random.ts";
import type { WhyNotReady } from "../../core/readiness/why-not-ready.ts";
import {
  type AddJobRequest,
  type AddJobResponse,
  type AddJobsRequest,
  AddJobsRequestSchema,
  type AddJobsResponse,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { Role } from "../../master/election/role.ts";
import { answerOf } from "../conversion/add-outcome.ts";
import { callKey } from "../forwarding/call-key.ts";
import type { AddGatherer } from "../forwarding/gather-adds.ts";
import { type CallContext, isForwarded } from "../forwarding/master-call.ts";
import { messageWithReason } from "../with-reason.ts";
import { checkAddJobs } from "./check-add-jobs.ts";
import type { DeliverAdds } from "./deliver-adds.ts";

export interface AddMethods {
  addJob(request: AddJobRequest, context: CallContext): Promise<AddJobResponse>;
  /** `key`: names the call; null: its caller gave none. */
  addJobs(request: AddJobsRequest, key: string | null, context: CallContext): Promise<AddJobsResponse>;
}

export function addMethods(options: {
  readonly role: Role;
  readonly random: Random;
  readonly whyNotReady: WhyNotReady;
  readonly gatherer: AddGatherer;
  readonly deliver: DeliverAdds;
}): AddMethods {
  const { role, random, whyNotReady, gatherer, deliver } = options;
  const isForMaster = (context: CallContext) => role.now().kind === "master" || isForwarded(context);

  return {
    async addJob(request, context) {
      const key = callKey(context);
      if (key === null && !isForMaster(context)) return gatherer.add(request, context);
      const one = create(AddJobsRequestSchema, { jobs: [request] });
      const { outcomes } = await deliver(one, { key, isOwnKey: false, isLone: true }, context);
      const answer = answerOf(outcomes[0]);
      if (answer instanceof Error) throw answer;
      return answer;
    },

    async addJobs(request, key, context) {
      checkAddJobs(request, { key, forwarded: isForwarded(context) });
      // A key of this node's own makes repeating safe where the caller gave none.
      const ownKey = key === null && !isForMaster(context) ? random.id() : null;
      const isOwnKey = ownKey !== null || (isForwarded(context) && context.requestHeader.has(OWN_KEY));
      const delivery = { key: key ?? ownKey, isOwnKey, isLone: false };
      const response = await deliver(request, delivery, context);
      if (whyNotReady() !== null) explainUnavailable(response, whyNotReady);
      return response;
    },
  };
}

/** As an AddJob that fails so is explained where all errors are. */
function explainUnavailable({ outcomes }: AddJobsResponse, whyNotReady: WhyNotReady): void {
  for (const { outcome } of outcomes) {
    if (outcome.case !== "failure" || outcome.value.code !== "unavailable") continue;
    outcome.value.message = messageWithReason(outcome.value.message, whyNotReady);
  }
}
