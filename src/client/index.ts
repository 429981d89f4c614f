/** What other services and pages import: the client, and what its calls are rejected with. */
export { Code, ConnectError } from "@connectrpc/connect";
export { createClient } from "./client.ts";
export type { ElasticJobClient } from "./elastic-job-client.ts";
export { type Problem, problemsOf } from "./error-problems.ts";
