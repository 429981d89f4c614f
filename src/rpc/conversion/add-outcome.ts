import { ElasticJobError } from "../../core/errors.ts";
import type { AddJobOutcome, AddJobResponse } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { errorCodeOf } from "../error-codes.ts";

/** What the master's answer to an AddJobs says of one of its jobs. */
export function answerOf(outcome: AddJobOutcome | undefined): AddJobResponse | ElasticJobError {
  switch (outcome?.outcome.case) {
    case "added":
      return outcome.outcome.value;
    case "failure":
      return new ElasticJobError(errorCodeOf(outcome.outcome.value.code), outcome.outcome.value.message);
    default:
      return new ElasticJobError("internal", "the master's answer has no outcome for this job");
  }
}
