/**
 * What goes into and comes out of the client: the API's messages in protobuf JSON, so that code, `curl`
 * and the docs all show the same thing. Durations are seconds with an s ("10s", "0.25s"), ids are
 * strings, instants are ISO 8601. The messages and their defaults are described in `proto/`, from which
 * these types are made; what stands here besides is what they must have.
 */
import type * as cluster from "../gen/elasticjob/v1/cluster_service_pb.ts";
import type * as job from "../gen/elasticjob/v1/job_pb.ts";
import type * as service from "../gen/elasticjob/v1/job_service_pb.ts";
import type { DurationInput, Input, InstantInput, Output } from "./json-shape.ts";

export type { Duration, InstantInput, Json } from "./json-shape.ts";

export type JobStatus = job.JobStatusJson;
export type Outcome = job.OutcomeJson;

/** At most one of these; none means immediate. The server refuses two at once. */
interface Schedules {
  readonly timed?: { readonly runAt: InstantInput } | { readonly delay: DurationInput };
  readonly daily?: { readonly at: string };
  readonly cron?: { readonly expression: string };
  readonly interval?: { readonly every: DurationInput };
}

type JobFields = Input<service.AddJobRequest, service.AddJobRequestJson> & Schedules;
export interface AddJobInput extends JobFields {
  readonly handler: string;
}
export interface AddedJob extends Output<service.AddJobResponse, service.AddJobResponseJson> {
  readonly created: boolean;
}

/** All that a job can be added with, but its key, which is given beside it. */
export type PutJobInput = Omit<AddJobInput, "idempotencyKey" | "keyLife" | "keyTtl" | "keyReuse">;
export interface PutJob extends Output<service.PutJobResponse, service.PutJobResponseJson> {
  readonly revision: number;
}

type UpdateFields = Input<service.UpdateJobRequest, service.UpdateJobRequestJson>;
export interface UpdateJobInput extends Omit<UpdateFields, "job"> {
  readonly jobId: string;
  /** The new values: of all that a job can be added with, but its key. */
  readonly job: Omit<JobFields, "idempotencyKey" | "keyLife" | "keyTtl" | "keyReuse">;
}

type JobOutput = Output<job.Job, job.JobJson> & Schedules;
export interface Job extends JobOutput {
  readonly name: string;
  readonly handler: string;
  readonly priority: number;
}
/** As it is after an update. */
export interface UpdatedJob extends Job {
  /** False when it was so already: nothing was written, and its revision stays. */
  readonly changed: boolean;
}
export interface JobResult extends Output<job.JobResult, job.JobResultJson> {}
export interface JobState extends Output<service.GetJobStatusResponse, service.GetJobStatusResponseJson> {
  readonly job: Job;
}

export interface JobQuery extends Input<service.GetAllJobsRequest, service.GetAllJobsRequestJson> {}
export interface JobPage extends Output<service.GetAllJobsResponse, service.GetAllJobsResponseJson> {
  readonly jobs: readonly Job[];
}
export interface ResultQuery extends Input<service.GetAllResultRequest, service.GetAllResultRequestJson> {}
export interface ResultPage extends Output<service.GetAllResultResponse, service.GetAllResultResponseJson> {}

export interface JobLogQuery extends Input<service.GetJobLogRequest, service.GetJobLogRequestJson> {
  readonly jobId: string;
}
export interface JobLogLine extends Output<service.JobLogLine, service.JobLogLineJson> {}
export interface JobLogPage extends Output<service.GetJobLogResponse, service.GetJobLogResponseJson> {
  readonly lines: readonly JobLogLine[];
  readonly running: boolean;
}

type PreviewFields = Input<service.PreviewScheduleRequest, service.PreviewScheduleRequestJson> & Schedules;
export interface PreviewInput extends PreviewFields {}
type Occurrence = Output<service.Occurrence, service.OccurrenceJson> & { readonly time: string };
export interface Preview
  extends Output<service.PreviewScheduleResponse, service.PreviewScheduleResponseJson> {
  readonly occurrences: readonly Occurrence[];
}

export interface AuditQuery extends Input<cluster.GetAuditRequest, cluster.GetAuditRequestJson> {}
export interface AuditRecord extends Output<cluster.AuditRecord, cluster.AuditRecordJson> {}
export interface AuditPage extends Output<cluster.GetAuditResponse, cluster.GetAuditResponseJson> {
  readonly records: readonly AuditRecord[];
}

export interface HandlerQuery extends Input<cluster.GetHandlersRequest, cluster.GetHandlersRequestJson> {}
export interface OfferedHandler extends Output<cluster.OfferedHandler, cluster.OfferedHandlerJson> {}
export interface HandlerPage extends Output<cluster.GetHandlersResponse, cluster.GetHandlersResponseJson> {
  readonly handlers: readonly OfferedHandler[];
}

export interface Cluster extends Output<cluster.GetClusterResponse, cluster.GetClusterResponseJson> {}
