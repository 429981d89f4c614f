/** What users import: `defineJobs` for their handlers, and the client for their services. */
export type { ElasticJobClient } from "./client/elastic-job-client.ts";
export { createClient } from "./client/lazy-client.ts";
export * from "./contract/index.ts";
export type { AddOptions } from "./jobs/add-child.ts";
export {
  type ContractHandler,
  type ContractJobs,
  defineJobs,
  type Handler,
  type HandlerContext,
  type HandlerJob,
  type Jobs,
  type JobsOptions,
  type JsonValue,
  PermanentError,
  RetryError,
} from "./jobs/define-jobs.ts";
export type { JobLog, LogFields } from "./jobs/job-log.ts";
export type { Schedule, ScheduleOptions } from "./jobs/schedules.ts";
export type { ThreadLife } from "./jobs/thread-life.ts";
