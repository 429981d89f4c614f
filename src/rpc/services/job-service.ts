/** The public service. What changes a job, or shows where it stands, goes to the master; lists are read here. */
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Clock } from "../../core/clock.ts";
import type { JobSpec } from "../../core/job.ts";
import type { Random } from "../../core/random.ts";
import type { WhyNotReady } from "../../core/readiness/why-not-ready.ts";
import { specOrThrow } from "../../core/spec/job-spec.ts";
import {
  type AddJobRequest,
  type AddJobsRequest,
  AddJobsRequestSchema,
  type DeleteJobRequest,
  DeleteJobResponseSchema,
  type GetAllJobsRequest,
  type GetAllResultRequest,
  type GetJobLogRequest,
  type GetJobStatusRequest,
  GetJobStatusResponseSchema,
  type JobService,
  type PreviewScheduleRequest,
  type PutJobRequest,
  type PutJobSetRequest,
  type StreamAddJobsRequest,
  type UpdateJobRequest,
  UpdateJobResponseSchema,
  type WatchJobLogRequest,
  type WatchJobRequest,
  WatchJobResponseSchema,
} from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { Role } from "../../master/election/role.ts";
import type { JobView } from "../../master/job-api.ts";
import type { JobStore } from "../../store/job-store.ts";
import { jobIdFromString } from "../conversion/job-id.ts";
import { jobToMessage } from "../conversion/job-message.ts";
import { resultToMessage } from "../conversion/result-message.ts";
import { applyUpdate } from "../conversion/update-request.ts";
import { callKey } from "../forwarding/call-key.ts";
import { gatherAdds } from "../forwarding/gather-adds.ts";
import type { MasterCaller } from "../forwarding/master-call.ts";
import { refuseUnknownFields } from "../forwarding/unknown-fields.ts";
import { wholeOf, withWhole } from "../large-request.ts";
import type { RpcLimits } from "../limits.ts";
import { addMethods } from "./add-jobs.ts";
import { changeBy, jobWords, updatedFields } from "./audited-change.ts";
import { createDelivery } from "./deliver-adds.ts";
import { explainPrepared } from "./explain-prepared.ts";
import { controlMethods } from "./job-control.ts";
import { getJobLog, watchJobLog } from "./job-log.ts";
import { listJobs } from "./list-jobs.ts";
import { listResults } from "./list-results.ts";
import type { NodeNames } from "./node-names.ts";
import { previewSchedule } from "./preview-schedule.ts";
import { putJob, putJobSet } from "./put-job.ts";
import { answerAdds } from "./stream-add-jobs.ts";
import { watchThroughMaster } from "./watch.ts";

export function createJobService(options: {
  readonly role: Role;
  readonly whyNotReady: WhyNotReady;
  readonly store: JobStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly master: MasterCaller;
  readonly names: NodeNames;
  readonly limits: RpcLimits;
  readonly closing: AbortSignal;
}): ServiceImpl<typeof JobService> {
  const { role, whyNotReady, store, clock, random, master, names, limits, closing } = options;
  const deliver = createDelivery(master, limits);
  const gatherer = gatherAdds({
    clock,
    defaultWaitMs: limits.defaultWaitMs,
    maxWaitMs: limits.maxWaitMs,
    // Each batch has a key of its own, and always the same content.
    async send(jobs, context) {
      const request = create(AddJobsRequestSchema, { jobs: [...jobs] });
      return (await deliver(request, { key: random.id(), isOwnKey: true, isLone: false }, context)).outcomes;
    },
  });
  const adds = addMethods({ role, random, whyNotReady, gatherer, deliver });

  async function messagesOf(view: JobView) {
    const { record, lastResult } = view;
    const nodeName = await names.read([record.node, lastResult?.node ?? 0]);
    return {
      job: jobToMessage(view, nodeName),
      ...(lastResult && { lastResult: resultToMessage(lastResult, nodeName) }),
    };
  }

  return {
    addJob: (request: AddJobRequest, context: HandlerContext) =>
      withWhole(request, context, (whole) => adds.addJob(whole, context)),

    addJobs: (request: AddJobsRequest, context: HandlerContext) =>
      withWhole(request, context, async (whole) => adds.addJobs(whole, callKey(context), context)),

    streamAddJobs: (requests: AsyncIterable<StreamAddJobsRequest>, context: HandlerContext) =>
      answerAdds(requests, context, {
        whole: (request) => wholeOf(request, context),
        add: adds.addJobs,
        clock,
        closing,
        whyNotReady,
      }),

    // Neither is repeated by itself: a second update would change the revision again, and a second
    // delete would say not_found of a job that the first one deleted.
    updateJob: (sent: UpdateJobRequest, context: HandlerContext) =>
      withWhole(sent, context, (request) =>
        master.call(context, {
          repeatable: false,
          forward: (peer, call) => peer.jobs.updateJob(request, call),
          async onMaster(api) {
            refuseUnknownFields(request, context);
            const jobId = jobIdFromString(request.jobId);
            const paths = request.updateMask?.paths ?? [];
            const allowed = request.allowUnknownHandler ? { allowsUnknownHandler: true as const } : {};
            let changed = false;
            const change = (spec: JobSpec) => {
              const after = specOrThrow(applyUpdate(spec, request.job, paths, api.clusterTime(), limits));
              changed = after !== spec;
              return changed ? { ...after, ...allowed } : spec;
            };
            const view = await api.audited(
              changeBy(context, { jobId, detail: updatedFields(paths, request.job) }),
              () => api.updateJob(jobId, request.revision ?? null, change),
              ({ record }) => ({
                detail: `${jobWords(record.spec)}${changed ? "" : "; it was so already"}`,
              }),
            );
            const { job } = await messagesOf(view);
            return create(UpdateJobResponseSchema, { job, changed });
          },
        }),
      ),

    putJob: (sent: PutJobRequest, context: HandlerContext) =>
      withWhole(sent, context, (request) => putJob(request, context, { master, limits })),

    putJobSet: (sent: PutJobSetRequest, context: HandlerContext) =>
      withWhole(sent, context, (request) => putJobSet(request, context, { master, limits })),

    deleteJob(request: DeleteJobRequest, context: HandlerContext) {
      return master.call(context, {
        repeatable: false,
        forward: (peer, call) => peer.jobs.deleteJob(request, call),
        async onMaster(api) {
          refuseUnknownFields(request, context);
          const jobId = jobIdFromString(request.jobId);
          await api.audited(
            changeBy(context, { jobId }),
            () => api.deleteJob(jobId),
            ({ spec }) => ({ detail: jobWords(spec) }),
          );
          return create(DeleteJobResponseSchema);
        },
      });
    },

    ...controlMethods({ master, messagesOf }),

    getJobStatus(request: GetJobStatusRequest, context: HandlerContext) {
      return master.call(context, {
        repeatable: true,
        forward: (peer, call) => peer.jobs.getJobStatus(request, call),
        async onMaster(api) {
          refuseUnknownFields(request, context);
          return create(
            GetJobStatusResponseSchema,
            await messagesOf(await api.readJob(jobIdFromString(request.jobId))),
          );
        },
      });
    },

    getAllJobs: (request: GetAllJobsRequest, context: HandlerContext) =>
      listJobs(request, {
        store,
        names,
        now: clock.now(),
        whyPrepared: (records, now) => explainPrepared(records, now, master, context),
      }),
    getAllResult: (request: GetAllResultRequest) => listResults(request, { store, names }),

    getJobLog: (request: GetJobLogRequest) => getJobLog(request, store),

    watchJobLog: (request: WatchJobLogRequest, { signal }: HandlerContext) =>
      watchJobLog(request, { store, clock, signal, closing }),

    previewSchedule: (request: PreviewScheduleRequest) => previewSchedule(request, clock.now()),

    watchJob(request: WatchJobRequest, context: HandlerContext) {
      const jobId = jobIdFromString(request.jobId);
      const toMessage = async (view: JobView) => create(WatchJobResponseSchema, await messagesOf(view));
      return watchThroughMaster(request, context, { master, clock, limits, closing, jobId, toMessage });
    },
  };
}
