import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";

import { answerMarginMs } from "../core/answer-margin.ts";

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

/**
 * When a call is answered, whatever its node does. The node is told this as its deadline, and answers within it: one that
 * has said nothing by then is frozen, or cut off, and its caller hears that from us, before its own deadline.
 */
export function answerInMs(deadlineMs: number): number {
  return deadlineMs - answerMarginMs(deadlineMs) / 2;
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
