/** Has a request written as the adapter knows calls, before it is one: as short as people write them with `curl`. */
import { foreignPage } from "../../core/callers/foreign-page.ts";
import { callTypeOf, isTakenAsJson } from "../../core/content-type.ts";
import { quote } from "../../core/errors.ts";
import { ClusterService } from "../../gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { NodeRequest, NodeResponse } from "../connection.ts";
import { pathOfUrl } from "./call-path.ts";
import { refuse } from "./refuse.ts";

/** `/JobService/AddJob` for `/elasticjob.v1.JobService/AddJob`: what callers are offered, and nothing between nodes. */
const SHORT_PATHS: ReadonlyMap<string, string> = new Map(
  [JobService, ClusterService].flatMap(({ name, typeName, methods }) =>
    methods.map((method) => [`/${name}/${method.name}`, `/${typeName}/${method.name}`]),
  ),
);

const ACCEPTED_TYPES = "application/json is accepted (and the types of Connect, gRPC and gRPC-Web)";

/** False: it was refused, and answered. */
export function settleCall(request: NodeRequest, response: NodeResponse): boolean {
  const path = pathOfUrl(request);
  const whole = SHORT_PATHS.get(path);
  if (whole !== undefined) request.url = whole + (request.url ?? "").slice(path.length);
  if (request.method !== "POST") return true;

  const { headers } = request;
  const given = headers["content-type"];
  if (isTakenAsJson(given)) {
    // Whoever may call is asked later, and by then nothing tells that it was a form.
    const problem = foreignPage(
      (name) => headers[name]?.toString(),
      () => headers[":authority"]?.toString() ?? headers.host ?? "",
      [],
    );
    if (problem !== null) {
      refuse(response, 403, "permission_denied", problem);
      return false;
    }
    headers["content-type"] = "application/json";
    return true;
  }
  const called = callTypeOf(given ?? "");
  if ("type" in called && !called.type.startsWith("application/grpc-web-text")) {
    headers["content-type"] = called.type;
    return true;
  }
  const problem = "type" in called ? `${quote(called.type)} is taken by the edge only` : called.problem;
  refuse(response, 415, "invalid_argument", `Content-Type: ${problem}; ${ACCEPTED_TYPES}`);
  return false;
}
