import { ElasticJobError, type Problem, withPaths } from "../../core/errors.ts";
import type { AddJobOutcome, AddJobResponse, FieldProblem } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { errorCodeOf } from "../error-codes.ts";

/** What the master's answer to an AddJobs says of one of its jobs. */
export function answerOf(outcome: AddJobOutcome | undefined): AddJobResponse | ElasticJobError {
  switch (outcome?.outcome.case) {
    case "added":
      return outcome.outcome.value;
    case "failure": {
      const { code, message, problems } = outcome.outcome.value;
      return new ElasticJobError(errorCodeOf(code), message, { problems });
    }
    default:
      return new ElasticJobError("internal", "the master's answer has no outcome for this job");
  }
}

export function fieldProblems(problems: readonly Problem[]): FieldProblem[] {
  const $typeName = "elasticjob.v1.FieldProblem";
  return withPaths(problems).map(({ field, message }) => ({ $typeName, field, message }));
}
