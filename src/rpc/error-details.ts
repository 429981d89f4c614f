/** What errors carry beside their message, for programs: details that gRPC's users know, in all protocols. */
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { type Problem, withPaths } from "../core/errors.ts";
import { BadRequestSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";

type Details = ConnectError["details"];

/** Which fields are wrong; of none: nothing. */
export function problemDetails(problems: readonly Problem[]): Details {
  if (problems.length === 0) return [];
  const fieldViolations = withPaths(problems).map(({ field, message }) => ({ field, description: message }));
  return [{ desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) }];
}

/** When trying again makes sense. */
export function retryDetails(delayMs: number): Details {
  const retryDelay = durationFromMs(delayMs);
  return [{ desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay }) }];
}

/** What another node has said of fields. */
export function problemsIn(error: ConnectError): Problem[] {
  return error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations)
    .map(({ field, description }) => ({ field, message: description }));
}
