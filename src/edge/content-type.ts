import { callTypeOf, isTakenAsJson } from "../core/content-type.ts";
import { quote } from "../core/errors.ts";

/** It needs HTTP/2 with trailers. */
const NATIVE_GRPC = /^application\/grpc(\+|$)/;

const ACCEPTED =
  "application/json (or none), application/proto, application/connect+json, application/connect+proto and application/grpc-web are accepted";

/** The content type to call the node with, as nodes know it; or why the call is refused. */
export function acceptedContentType(
  given: string | null,
): { readonly contentType: string } | { readonly problem: string } {
  if (given === null || isTakenAsJson(given)) return { contentType: "application/json" };
  const called = callTypeOf(given);
  if ("problem" in called) return { problem: `Content-Type: ${called.problem}; ${ACCEPTED}` };
  if (NATIVE_GRPC.test(called.type)) {
    return {
      problem: `Content-Type: ${quote(given)} needs HTTP/2 with trailers, which the edge does not pass on; call a node directly, or use gRPC-Web or Connect`,
    };
  }
  return { contentType: called.type };
}
