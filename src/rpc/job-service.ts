/** The public service. What changes a job, or shows where it stands, goes to the master; lists are read here. */
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Clock } from "../core/clock.ts";
import { ElasticJobError, invalidArgument } from "../core/errors.ts";
import type { JobSpec } from "../core/job.ts";
import { specOrThrow } from "../core/job-spec.ts";
import type { Random } from "../core/random.ts";
import {
  type AddJobOutcome,
  type AddJobRequest,
  type AddJobsRequest,
  AddJobsRequestSchema,
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
} from "../gen/elasticjob/v1/job_service_pb.ts";
import type { JobApi, JobView } from "../master/job-api.ts";
import type { Role } from "../master/role.ts";
import type { JobStore } from "../store/job-store.ts";
import { addOnMaster, toOutcome } from "./add-jobs.ts";
import { IDEMPOTENCY_KEY } from "./call-headers.ts";
import { callKey } from "./call-key.ts";
import { specFromAddRequest } from "./conversion/add-request.ts";
import { jobIdFromString } from "./conversion/job-id.ts";
import { jobToMessage } from "./conversion/job-message.ts";
import { resultToMessage } from "./conversion/result-message.ts";
import { applyUpdate } from "./conversion/update-request.ts";
import { createForwarding } from "./forwarding.ts";
import { controlMethods } from "./job-control.ts";
import type { RpcLimits } from "./limits.ts";
import { listJobs } from "./list-jobs.ts";
import { listResults } from "./list-results.ts";
import { type CallContext, isForwarded, type MasterCaller } from "./master-call.ts";
import type { NodeNames } from "./node-names.ts";
import { previewSchedule } from "./preview-schedule.ts";
import { answerAdds } from "./stream-add-jobs.ts";
import { refuseUnknownFields, unknownFieldError } from "./unknown-fields.ts";
import { watchThroughMaster } from "./watch.ts";

const MAX_JOBS_A_CALL = 10_000;

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
  const parseOn = (api: JobApi) => (request: AddJobRequest) =>
    specOrThrow(specFromAddRequest(request, api.clusterTime(), limits));

  /** With a key, repeated until it is answered: the answer is the same however often it was run. */
  function addMany(
    request: AddJobsRequest,
    key: string | null,
    context: CallContext,
  ): Promise<AddJobOutcome[]> {
    return master.call(context, {
      repeatable: key !== null,
      async onMaster(api) {
        const [unknown] = isForwarded(context) ? (request.$unknown ?? []) : [];
        if (unknown !== undefined) throw unknownFieldError(`AddJobsRequest field ${unknown.no}`);
        const call = { key, forwarded: isForwarded(context) };
        return (await addOnMaster(api, request.jobs, call, parseOn(api))).map(toOutcome);
      },
      async forward(peer, call) {
        if (key !== null) call.headers.set(IDEMPOTENCY_KEY, key);
        return (await peer.jobs.addJobs(request, call)).outcomes;
      },
    });
  }

  function addCounted(request: AddJobsRequest, key: string | null, context: CallContext) {
    const count = request.jobs.length;
    if (count < 1 || count > MAX_JOBS_A_CALL) {
      const message = `has ${count} jobs; 1 to ${MAX_JOBS_A_CALL.toLocaleString("en")} are accepted`;
      throw invalidArgument([{ field: "jobs", message }]);
    }
    // A key of the forwarder's own makes repeating safe where the caller gave none.
    const ownKey = role.now().kind === "master" || isForwarded(context) ? null : random.id();
    return addMany(request, key ?? ownKey, context);
  }

  const forwarding = createForwarding({
    clock,
    random,
    defaultWaitMs: limits.defaultWaitMs,
    maxWaitMs: limits.maxWaitMs,
    send: (jobs, key, context) => addMany(create(AddJobsRequestSchema, { jobs: [...jobs] }), key, context),
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
        async onMaster(api) {
          const [outcome] = await addOnMaster(
            api,
            [request],
            { key, forwarded: isForwarded(context) },
            parseOn(api),
          );
          if (outcome === undefined) throw new ElasticJobError("internal", "the master gave no outcome");
          if (outcome instanceof ElasticJobError) throw outcome;
          return outcome;
        },
        forward(peer, call) {
          if (key !== null) call.headers.set(IDEMPOTENCY_KEY, key);
          return peer.jobs.addJob(request, call);
        },
      });
    },

    async addJobs(request: AddJobsRequest, context: HandlerContext) {
      return { outcomes: await addCounted(request, callKey(context), context) };
    },

    streamAddJobs: (requests: AsyncIterable<StreamAddJobsRequest>, context: HandlerContext) =>
      answerAdds(requests, context, { add: addCounted, clock, closing }),

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

    getAllJobs: (request: GetAllJobsRequest) => listJobs(request, { store, names, now: clock.now() }),
    getAllResult: (request: GetAllResultRequest) => listResults(request, { store, names }),

    previewSchedule: (request: PreviewScheduleRequest) => previewSchedule(request, clock.now()),

    watchJob(request: WatchJobRequest, context: HandlerContext) {
      const jobId = jobIdFromString(request.jobId);
      const toMessage = async (view: JobView) => create(WatchJobResponseSchema, await messagesOf(view));
      return watchThroughMaster(request, context, { master, clock, limits, closing, jobId, toMessage });
    },
  };
}
