import type { OutgoingHttpHeaders } from "node:http";
import type { NodeRequest, NodeResponse } from "../connection.ts";

/**
 * Has `grpc-message` sent as the gRPC specification writes it: only `%` and what is not printable
 * ASCII is escaped. connect-es escapes more, which grpc-js does not undo: its users would read
 * "handler%3A is required".
 */
export function sendPlainGrpcMessage(request: NodeRequest, response: NodeResponse): void {
  if (!/^application\/grpc(\+|;|$)/.test(request.headers["content-type"] ?? "")) return;
  const addTrailers: (trailers: OutgoingHttpHeaders) => void = response.addTrailers.bind(response);
  response.addTrailers = (trailers: OutgoingHttpHeaders) => {
    const { "grpc-message": message } = trailers;
    addTrailers(typeof message === "string" ? { ...trailers, "grpc-message": plain(message) } : trailers);
  };
}

function plain(message: string): string {
  // Each piece outside of printable ASCII, and each percent sign, as its UTF-8 bytes.
  return decodeURIComponent(message).replaceAll(/[^\x20-\x7e]+|%/gu, encodeURIComponent);
}
