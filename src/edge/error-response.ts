import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJson } from "@connectrpc/connect/protocol-connect";
import { retryHintMs } from "../client/retry-policy.ts";
import { RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";

/** An error as Connect writes it, which `curl` users can read and every client understands. */
export function errorResponse(
  code: Code,
  message: string,
  options: { readonly status?: number; readonly headers?: Record<string, string> } = {},
): Response {
  const { status = codeToHttpStatus(code), headers = {} } = options;
  const error = new ConnectError(message, code);
  const waitMs = retryHintMs(new Headers(headers));
  if (waitMs > 0) {
    const retryDelay = durationFromMs(waitMs);
    error.details = [{ desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay }) }];
  }
  return Response.json(errorToJson(error, undefined), { status, headers });
}
