import { codeToHttpStatus, errorToJson } from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { quote } from "../../core/errors.ts";
import type { NodeRequest, NodeResponse } from "../connection.ts";
import { tryLater } from "../error-codes.ts";
import { isNativeGrpc, settleGrpcTrailers } from "./grpc-trailers.ts";

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
  const error = tryLater(message);
  const type = request.headers["content-type"] ?? "";
  if (isNativeGrpc(type)) {
    settleGrpcTrailers(request, response);
    response.writeHead(200, { "content-type": type });
    response.addTrailers(Object.fromEntries(setTrailerStatus(new Headers(), error)));
    response.end();
  } else if (type.startsWith("application/grpc-web")) {
    // All of a gRPC answer that has no message: its trailers come as headers.
    response.writeHead(200, {
      "content-type": type,
      ...Object.fromEntries(setTrailerStatus(new Headers(), error)),
    });
    response.end();
  } else {
    const headers = { "content-type": "application/json", ...Object.fromEntries(error.metadata) };
    response.writeHead(codeToHttpStatus(error.code), headers);
    response.end(JSON.stringify(errorToJson(error, undefined)));
  }
}

export function refusePath(request: NodeRequest, response: NodeResponse): void {
  const path = quote(request.url ?? "");
  refuse(response, 404, "unimplemented", `${path} is no call; POST /JobService/AddJob is one`);
}
