import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";

export const DEFAULT_DEADLINE_MS = 10_000;
const MAX_DEADLINE_MS = 24 * 3_600_000;

/** How long the caller is willing to wait, by Connect's header or gRPC's; null: it did not say, or said what a node refuses. */
export function callerDeadlineMs(headers: Headers): number | null {
  if (isForNodeToRefuse(headers)) return null;
  const said = [connectMs(headers), grpcMs(headers)].find(
    ({ timeoutMs, error }) => timeoutMs !== undefined && error === undefined,
  );
  return said?.timeoutMs ?? null;
}

/** Tells the node how much is left of the deadline, so that it does not wait longer than we do. */
export function setDeadline(headers: Headers, leftMs: number): void {
  // In the words, and the form, of the call's own protocol.
  if (isForNodeToRefuse(headers)) return;
  const ms = String(Math.max(1, Math.floor(leftMs)));
  if (isGrpcWeb(headers)) headers.set("grpc-timeout", `${ms}m`);
  else headers.set("connect-timeout-ms", ms);
}

function isForNodeToRefuse(headers: Headers): boolean {
  const { timeoutMs, error } = isGrpcWeb(headers) ? grpcMs(headers) : connectMs(headers);
  return error !== undefined || timeoutMs === 0;
}

function isGrpcWeb(headers: Headers): boolean {
  return headers.get("content-type")?.startsWith("application/grpc-web") === true;
}

function connectMs(headers: Headers) {
  return parseConnectTimeout(headers.get("connect-timeout-ms"), MAX_DEADLINE_MS);
}

function grpcMs(headers: Headers) {
  return parseGrpcTimeout(headers.get("grpc-timeout"), MAX_DEADLINE_MS);
}
