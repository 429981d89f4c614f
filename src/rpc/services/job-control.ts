/**
 * The methods that act on one job: pause, resume, trigger, cancel, retry. Those that are repeatable are
 * repeated until the master answers: once done, doing them again leaves the job as it is. A cancel is
 * so only when it says which occurrence it means, and a trigger when it has a key.
 */
import { create, type Message } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { IDEMPOTENCY_KEY } from "../../core/call-headers.ts";
import { invalidArgument, type Problem } from "../../core/errors.ts";
import type { Job } from "../../gen/elasticjob/v1/job_pb.ts";
import {
  CancelJobResponseSchema,
  type JobService,
  PauseJobResponseSchema,
  ResumeJobResponseSchema,
  RetryJobResponseSchema,
  TriggerJobResponseSchema,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { JobApi, JobView } from "../../master/job-api.ts";
import { jobIdFromString } from "../conversion/job-id.ts";
import { msFromTimestamp } from "../conversion/proto-time.ts";
import { callKey } from "../forwarding/call-key.ts";
import type { MasterCall, MasterCaller } from "../forwarding/master-call.ts";
import { refuseUnknownFields } from "../forwarding/unknown-fields.ts";
import { changeBy, jobWords } from "./audited-change.ts";

type ControlMethod = "pauseJob" | "resumeJob" | "triggerJob" | "cancelJob" | "retryJob";
type Forward<T> = MasterCall<T>["forward"];

export function controlMethods(options: {
  readonly master: MasterCaller;
  readonly messagesOf: (view: JobView) => Promise<{ readonly job: Job }>;
}): Pick<ServiceImpl<typeof JobService>, ControlMethod> {
  const { master, messagesOf } = options;

  function control<T>(
    request: Message & { readonly jobId: string },
    context: HandlerContext,
    call: {
      readonly repeatable: boolean;
      readonly forward: Forward<T>;
      readonly act: (api: JobApi, jobId: number) => Promise<JobView>;
      readonly answer: (job: Job) => T;
      /** What the audit says of it besides the job. */
      readonly detail?: string;
      /** The job that it answers with is a new one. */
      readonly adds?: true;
    },
  ): Promise<T> {
    return master.call(context, {
      repeatable: call.repeatable,
      forward: call.forward,
      async onMaster(api) {
        refuseUnknownFields(request, context);
        const jobId = jobIdFromString(request.jobId);
        const { detail = "", adds = false } = call;
        const view = await api.audited(
          changeBy(context, { jobId, detail }),
          () => call.act(api, jobId),
          ({ record }) => ({ detail: jobWords(record.spec), ...(adds && { addedJobId: record.id }) }),
        );
        return call.answer((await messagesOf(view)).job);
      },
    });
  }

  return {
    pauseJob: (request, context) =>
      control(request, context, {
        repeatable: true,
        forward: (peer, call) => peer.jobs.pauseJob(request, call),
        act: (api, jobId) => api.pauseJob(jobId),
        answer: (job) => create(PauseJobResponseSchema, { job }),
      }),

    resumeJob: (request, context) =>
      control(request, context, {
        repeatable: true,
        forward: (peer, call) => peer.jobs.resumeJob(request, call),
        act: (api, jobId) => api.resumeJob(jobId),
        answer: (job) => create(ResumeJobResponseSchema, { job }),
      }),

    async triggerJob(request, context) {
      const key = callKey(context);
      return control(request, context, {
        repeatable: key !== null,
        adds: true,
        forward(peer, call) {
          if (key !== null) call.headers.set(IDEMPOTENCY_KEY, key);
          return peer.jobs.triggerJob(request, call);
        },
        act: (api, jobId) => api.triggerJob(jobId, key),
        answer: (job) => create(TriggerJobResponseSchema, { job }),
      });
    },

    async cancelJob(request, context) {
      const problems: Problem[] = [];
      const scheduledAt = msFromTimestamp("scheduledAt", request.scheduledAt, problems) ?? null;
      if (problems.length > 0) throw invalidArgument(problems);
      return control(request, context, {
        repeatable: scheduledAt !== null,
        detail: scheduledAt === null ? "" : `the occurrence of ${new Date(scheduledAt).toISOString()}`,
        forward: (peer, call) => peer.jobs.cancelJob(request, call),
        act: (api, jobId) => api.cancelJob(jobId, scheduledAt),
        answer: (job) => create(CancelJobResponseSchema, { job }),
      });
    },

    retryJob: (request, context) =>
      control(request, context, {
        repeatable: true,
        forward: (peer, call) => peer.jobs.retryJob(request, call),
        act: (api, jobId) => api.retryJob(jobId),
        answer: (job) => create(RetryJobResponseSchema, { job }),
      }),
  };
}
