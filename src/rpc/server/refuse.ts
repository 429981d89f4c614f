import type { NodeRequest, NodeResponse } from "../connection.ts";

/** An answer to what never becomes a call, in the form of Connect's errors, which every kind of client can show. */
export function refuse(response: NodeResponse, status: number, code: string, message: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ code, message }));
}

export function refusePath(request: NodeRequest, response: NodeResponse): void {
  const path = JSON.stringify((request.url ?? "").slice(0, 200));
  refuse(response, 404, "unimplemented", `${path} is no call; POST /elasticjob.v1.JobService/AddJob is one`);
}

const CONTENT_TYPES =
  /^application\/(json|proto|connect\+(json|proto)|grpc(-web)?(\+(proto|json))?)\s*(;|$)/i;

/** The adapter's own refusal of a content type has an empty body, which leaves people at `curl` guessing. */
export function contentTypeProblem(request: NodeRequest): string | null {
  const type = request.headers["content-type"] ?? "";
  if (request.method !== "POST" || CONTENT_TYPES.test(type)) return null;
  const shown = type === "" ? "missing" : JSON.stringify(type.slice(0, 100));
  return `Content-Type: ${shown}; application/json is accepted (and the types of Connect, gRPC and gRPC-Web)`;
}
