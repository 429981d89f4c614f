/** What other services and pages import: the client, and the types of what goes in and comes out. */
/** What everything rejects with, and the codes that it has. */
export { Code, ConnectError } from "@connectrpc/connect";
export * from "../contract/index.ts";
export type { Adding, AddOptions } from "./adding.ts";
export { createClient } from "./client.ts";
export type {
  AddOutcome,
  CallOptions,
  CancelOptions,
  ClientOptions,
  DuplexTransport,
  ElasticJobClient,
} from "./elastic-job-client.ts";
export { type Problem, problemsOf } from "./error-problems.ts";
export type { Described } from "./handler-types.ts";
export type {
  AddedJob,
  AddJobInput,
  Cluster,
  Duration,
  HandlerPage,
  HandlerQuery,
  InstantInput,
  Job,
  JobLogLine,
  JobLogPage,
  JobLogQuery,
  JobPage,
  JobQuery,
  JobResult,
  JobState,
  JobStatus,
  Json,
  OfferedHandler,
  Outcome,
  Preview,
  PreviewInput,
  ResultPage,
  ResultQuery,
  UpdatedJob,
  UpdateJobInput,
} from "./job-json.ts";
export { JobResultError, type ResultOptions } from "./job-result.ts";
