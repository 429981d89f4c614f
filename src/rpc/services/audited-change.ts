/** What the audit says of a call: who asks, by which method, and a few words of what it is about. */
import type { HandlerContext } from "@connectrpc/connect";
import type { JobSpec } from "../../core/job.ts";
import { shorten } from "../../core/short-text.ts";
import type { Job } from "../../gen/elasticjob/v1/job_pb.ts";
import type { AuditedChange } from "../../master/job-api.ts";
import { callerIn } from "../call-caller.ts";
import { pathsFromMask, pathsSetIn } from "../conversion/update-mask.ts";

const MOST_NAME_CHARACTERS = 100;

export function changeBy(
  context: HandlerContext,
  about: Partial<Pick<AuditedChange, "jobId" | "nodeId" | "detail">>,
): AuditedChange {
  const nothing = { jobId: null, nodeId: "", detail: "" };
  return { caller: callerIn(context), method: context.method.name, ...nothing, ...about };
}

/** Its handler, and its name where it has one of its own: by then the job may be gone. */
export function jobWords({ handler, name }: JobSpec): string {
  return name === "" || name === handler
    ? handler
    : `${handler} ${JSON.stringify(shorten(name, MOST_NAME_CHARACTERS))}`;
}

/** Which fields an update names, without their values; what it names and is no field is left out. */
export function updatedFields(mask: readonly string[], job: Job | undefined): string {
  if (job === undefined) return "";
  const paths = mask.length > 0 ? pathsFromMask(mask, job, []) : pathsSetIn(job, []);
  return [...paths].join(", ");
}
