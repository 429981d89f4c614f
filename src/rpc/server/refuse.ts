import { Code } from "@connectrpc/connect";
import type { NodeRequest, NodeResponse } from "../connection.ts";
import { TRY_LATER_HEADERS } from "../error-codes.ts";

/** An answer to what never becomes a call, in the form of Connect's errors, which every kind of client can show. */
export function refuse(
  response: NodeResponse,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ code, message }));
}

/** There is no room for a call right now. Nothing of it was read, and the rest of it is not wanted. */
export function refuseForNow(request: NodeRequest, response: NodeResponse, message: string): void {
  const type = request.headers["content-type"] ?? "";
  if (/^application\/grpc(\+|;|$)/.test(type)) {
    const status = { "grpc-status": String(Code.ResourceExhausted), "grpc-message": message };
    response.writeHead(200, { "content-type": type });
    response.addTrailers({ ...status, ...TRY_LATER_HEADERS });
    response.end();
  } else {
    // The connection would have to be read to the body's end before it could carry another call.
    const close = "stream" in request ? {} : { connection: "close" };
    refuse(response, 429, "resource_exhausted", message, { ...TRY_LATER_HEADERS, ...close });
  }
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
