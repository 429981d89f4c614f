/** What PutJobSet describes, checked: what is wrong with the call as a whole is thrown, with one of its jobs its own. */
import { ElasticJobError, invalidArgument, type Problem } from "../../core/errors.ts";
import { keyInSet, MOST_SET_JOBS, nameInSetProblem, setNameProblem } from "../../core/spec/job-set.ts";
import type { SpecLimits } from "../../core/spec/job-spec.ts";
import type { NamedJob, PutJobSetRequest } from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { JobDescription, SetDescription } from "../../master/job-api.ts";
import { describePut } from "./put-request.ts";

export function describeSet(
  { set, generation, jobs, keepMissing }: PutJobSetRequest,
  now: () => number,
  limits?: SpecLimits,
): SetDescription {
  const problems: Problem[] = [];
  const wrongSet = setNameProblem(set);
  if (wrongSet !== null) problems.push({ field: "set", message: wrongSet });
  if (generation !== undefined && (generation < 0n || generation > Number.MAX_SAFE_INTEGER)) {
    const message = `is ${generation}; 0 to ${Number.MAX_SAFE_INTEGER} is accepted`;
    problems.push({ field: "generation", message });
  }
  if (jobs.length > MOST_SET_JOBS) {
    const most = MOST_SET_JOBS.toLocaleString("en");
    problems.push({ field: "jobs", message: `has ${jobs.length} jobs; up to ${most} are accepted` });
  } else checkNames(jobs, problems);
  if (problems.length > 0) throw invalidArgument(problems);
  return {
    set,
    generation: generation === undefined ? null : Number(generation),
    keepsMissing: keepMissing,
    jobs: jobs.map(({ name, job }) => ({
      name,
      described: described(keyInSet(set, name), job, now, limits),
    })),
  };
}

function checkNames(jobs: readonly NamedJob[], problems: Problem[]): void {
  const names = new Set<string>();
  for (const [index, { name }] of jobs.entries()) {
    const field = `jobs[${index}].name`;
    const message = nameInSetProblem(name);
    if (message !== null) problems.push({ field, message });
    else if (names.has(name)) problems.push({ field, message: `"${name}" is another job's of the set, too` });
    names.add(name);
  }
}

function described(
  key: string,
  job: NamedJob["job"],
  now: () => number,
  limits?: SpecLimits,
): JobDescription | ElasticJobError {
  try {
    return describePut(key, job, now, limits);
  } catch (error) {
    if (error instanceof ElasticJobError) return error;
    throw error;
  }
}
