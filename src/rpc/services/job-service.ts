/** The public service. What changes a job, or shows where it stands, goes to the master; lists are read here. */
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { IDEMPOTENCY_KEY } from "../../core/call-headers.ts";
import type { Clock } from "../../core/clock.ts";
import type { JobSpec } from "../../core/job.ts";
import type { Random } from "../../core/random.ts";
import { specOrThrow } from "../../core/spec/job-spec.ts";
import {
  type AddJobRequest,
  type AddJobsRequest,
  AddJobsRequestSchema,
  type AddJobsResponse,
  type DeleteJobRequest,
  DeleteJobResponseSchema,
  type GetAllJobsRequest,
  type GetAllResultRequest,
  type GetJobStatusRequest,
  GetJobStatusResponseSchema,
  type JobService,
  type PreviewScheduleRequest,
  type StreamAddJobsRequest,
  type UpdateJobRequest,
  UpdateJobResponseSchema,
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
import { createForwarding } from "../forwarding/gather-adds.ts";
import { type CallContext, isForwarded, type MasterCaller } from "../forwarding/master-call.ts";
import { refuseUnknownFields } from "../forwarding/unknown-fields.ts";
import type { RpcLimits } from "../limits.ts";
import { addJobOnMaster, addJobsOnMaster, checkAddJobs } from "./add-jobs.ts";
import { explainPrepared } from "./explain-prepared.ts";
import { controlMethods } from "./job-control.ts";
import { listJobs } from "./list-jobs.ts";
import { listResults } from "./list-results.ts";
import type { NodeNames } from "./node-names.ts";
import { previewSchedule } from "./preview-schedule.ts";
import { answerAdds } from "./stream-add-jobs.ts";
import { watchThroughMaster } from "./watch.ts";

export function createJobService(options: {
  readonly role: Role;
  readonly store: JobStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly master: MasterCaller;
  readonly names: NodeNames;
  readonly limits: RpcLimits;
  readonly closing: AbortSignal;
}): ServiceImpl<typeof JobService> {
  const { role, store, clock, random, master, names, limits, closing } = options;
  /** With a key, repeated until it is answered: the answer is the same however often it was run. */
  function addMany(
    request: AddJobsRequest,
    key: string | null,
    context: CallContext,
  ): Promise<AddJobsResponse> {
    return master.call(context, {
      repeatable: key !== null,
      onMaster: (api) => addJobsOnMaster(api, request, { key, forwarded: isForwarded(context) }, limits),
      forward(peer, call) {
        if (key !== null) call.headers.set(IDEMPOTENCY_KEY, key);
        return peer.jobs.addJobs(request, call);
      },
    });
  }

  function addChecked(request: AddJobsRequest, key: string | null, context: CallContext) {
    checkAddJobs(request, { key, forwarded: isForwarded(context) });
    // A key of the forwarder's own makes repeating safe where the caller gave none.
    const ownKey = role.now().kind === "master" || isForwarded(context) ? null : random.id();
    return addMany(request, key ?? ownKey, context);
  }

  const forwarding = createForwarding({
    clock,
    random,
    defaultWaitMs: limits.defaultWaitMs,
    maxWaitMs: limits.maxWaitMs,
    async send(jobs, key, context) {
      const request = create(AddJobsRequestSchema, { jobs: [...jobs] });
      return (await addMany(request, key, context)).outcomes;
    },
  });

  async function messagesOf(view: JobView) {
    const { record, lastResult } = view;
    const nodeName = await names.read([record.node, lastResult?.node ?? 0]);
    return {
      job: jobToMessage(view, nodeName),
      ...(lastResult && { lastResult: resultToMessage(lastResult, nodeName) }),
    };
  }

  return {
    async addJob(request: AddJobRequest, context: HandlerContext) {
      const key = callKey(context);
      if (key === null && role.now().kind !== "master" && !isForwarded(context)) {
        return forwarding.add(request, context);
      }
      return master.call(context, {
        repeatable: key !== null,
        onMaster: (api) => addJobOnMaster(api, request, { key, forwarded: isForwarded(context) }, limits),
        forward(peer, call) {
          if (key !== null) call.headers.set(IDEMPOTENCY_KEY, key);
          return peer.jobs.addJob(request, call);
        },
      });
    },

    async addJobs(request: AddJobsRequest, context: HandlerContext) {
      return addChecked(request, callKey(context), context);
    },

    streamAddJobs: (requests: AsyncIterable<StreamAddJobsRequest>, context: HandlerContext) =>
      answerAdds(requests, context, { add: addChecked, clock, closing }),

    // Neither is repeated by itself: a second update would change the revision again, and a second
    // delete would say not_found of a job that the first one deleted.
    updateJob(request: UpdateJobRequest, context: HandlerContext) {
      return master.call(context, {
        repeatable: false,
        forward: (peer, call) => peer.jobs.updateJob(request, call),
        async onMaster(api) {
          refuseUnknownFields(request, context);
          const jobId = jobIdFromString(request.jobId);
          const paths = request.updateMask?.paths ?? [];
          const change = (spec: JobSpec) =>
            specOrThrow(applyUpdate(spec, request.job, paths, api.clusterTime(), limits));
          const { job } = await messagesOf(await api.updateJob(jobId, request.revision ?? null, change));
          return create(UpdateJobResponseSchema, { job });
        },
      });
    },

    deleteJob(request: DeleteJobRequest, context: HandlerContext) {
      return master.call(context, {
        repeatable: false,
        forward: (peer, call) => peer.jobs.deleteJob(request, call),
        async onMaster(api) {
          refuseUnknownFields(request, context);
          await api.deleteJob(jobIdFromString(request.jobId));
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
        whyPrepared: (records) => explainPrepared(records, master, context),
      }),
    getAllResult: (request: GetAllResultRequest) => listResults(request, { store, names }),

    previewSchedule: (request: PreviewScheduleRequest) => previewSchedule(request, clock.now()),

    watchJob(request: WatchJobRequest, context: HandlerContext) {
      const jobId = jobIdFromString(request.jobId);
      const toMessage = async (view: JobView) => create(WatchJobResponseSchema, await messagesOf(view));
      return watchThroughMaster(request, context, { master, clock, limits, closing, jobId, toMessage });
    },
  };
}
