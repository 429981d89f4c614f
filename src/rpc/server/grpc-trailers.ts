import type { OutgoingHttpHeaders } from "node:http";
import type { NodeRequest, NodeResponse } from "../connection.ts";

const DETAILS = "grpc-status-details-bin";
/** Clients built on gRPC's core refuse an answer whose trailers have more than 8 KiB, so that its code would be gone as well. */
const MAX_TRAILER_BYTES = 7_500;

export function isNativeGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(\+|;|$)/.test(contentType ?? "");
}

/**
 * Has `grpc-message` sent as the gRPC specification writes it: only `%` and what is not printable
 * ASCII is escaped. connect-es escapes more, which grpc-js does not undo: its users would read
 * "handler%3A is required". Details that would be too much are left out: the message names each field as well.
 */
export function settleGrpcTrailers(request: NodeRequest, response: NodeResponse): void {
  if (!isNativeGrpc(request.headers["content-type"])) return;
  const addTrailers: (trailers: OutgoingHttpHeaders) => void = response.addTrailers.bind(response);
  response.addTrailers = (trailers: OutgoingHttpHeaders) => addTrailers(bounded(plain(trailers)));
}

function plain(trailers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const { "grpc-message": message } = trailers;
  if (typeof message !== "string") return trailers;
  // Each piece outside of printable ASCII, and each percent sign, as its UTF-8 bytes.
  const text = decodeURIComponent(message).replaceAll(/[^\x20-\x7e]+|%/gu, encodeURIComponent);
  return { ...trailers, "grpc-message": text };
}

function bounded(trailers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const { [DETAILS]: details, ...others } = trailers;
  if (details === undefined) return trailers;
  const size = Object.entries(trailers).reduce(
    (sum, [name, value]) => sum + name.length + `${value}`.length,
    0,
  );
  return size > MAX_TRAILER_BYTES ? others : trailers;
}
