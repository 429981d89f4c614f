/** What is wrong with each field of a request that was refused, for programs: a form, say, that shows it beside the field. */
import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { type Problem, withPaths } from "../core/errors.ts";
import { BadRequestSchema } from "../gen/google/rpc/error_details_pb.ts";

export type { Problem } from "../core/errors.ts";

/** Of whatever a call of the client was rejected with. None: it is about no field, or no such error. A field without a path is the request as a whole. */
export function problemsOf(error: unknown): readonly Problem[] {
  if (!(error instanceof ConnectError)) return [];
  return error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations)
    .map(({ field, description }) => ({ field, message: description }));
}

/** As if the server had sent them. */
export function withProblems(error: ConnectError, problems: readonly Problem[]): ConnectError {
  if (problems.length === 0) return error;
  const fieldViolations = withPaths(problems).map(({ field, message }) => ({ field, description: message }));
  error.details = [{ desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) }];
  return error;
}
