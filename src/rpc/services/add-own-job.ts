import { create } from "@bufbuild/protobuf";
import {
  type AddJobRequest,
  type AddJobResponse,
  AddJobsRequestSchema,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import { answerOf } from "../conversion/add-outcome.ts";
import type { CallContext } from "../forwarding/master-call.ts";
import type { DeliverAdds } from "./deliver-adds.ts";

/** Adds a job of this process, once: whoever asks for it repeats it, under the job's own key. */
export async function addOwnJob(
  request: AddJobRequest,
  context: CallContext,
  deliver: DeliverAdds,
): Promise<AddJobResponse> {
  const one = create(AddJobsRequestSchema, { jobs: [request] });
  const { outcomes } = await deliver(one, { key: null, isOwnKey: false, isLone: true }, context);
  const answer = answerOf(outcomes[0]);
  if (answer instanceof Error) throw answer;
  return answer;
}
