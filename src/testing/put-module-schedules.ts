/** Puts the schedules that a module has beside its handlers, as a node does that starts. */
import { createClient, type Transport } from "@connectrpc/connect";
import { exactText } from "../core/json/exact-numbers.ts";
import { JobService } from "../gen/elasticjob/v1/job_service_pb.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import { besideHandlers } from "../jobs/handlers-module.ts";
import { DEFAULT_LIMITS } from "../rpc/limits.ts";
import { readSchedules } from "../schedules/read-schedules.ts";

/** `own`: the module's handlers; `jobs`: with the built-in ones. Throws what is wrong, by the schedules' names. */
export async function putModuleSchedules(own: Jobs, jobs: Jobs, transport: Transport): Promise<void> {
  const { schedules } = besideHandlers(own);
  if (schedules === null) return;
  const module = {
    schedules: exactText(schedules) ?? null,
    handlers: Object.keys(jobs),
    hasRunJob: Object.hasOwn(jobs, "runJob"),
  };
  const request = readSchedules("jobs", module, {
    generation: null,
    missing: "delete",
    limits: DEFAULT_LIMITS,
  });
  if (request === null) return;
  const { outcomes } = await createClient(JobService, transport).putJobSet(request);
  for (const { name, result } of outcomes) {
    if (result.case === "failure") throw new Error(`jobs: schedules.${name}: ${result.value.message}`);
  }
}
