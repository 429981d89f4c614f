import { parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";

import { answerMarginMs } from "../core/answer-margin.ts";

export const DEFAULT_DEADLINE_MS = 10_000;
const MAX_DEADLINE_MS = 24 * 3_600_000;

/** How long the caller is willing to wait, by Connect's header or gRPC's; null: it did not say. */
export function callerDeadlineMs(headers: Headers): number | null {
  const connect = parseConnectTimeout(headers.get("connect-timeout-ms"), MAX_DEADLINE_MS);
  const grpc = parseGrpcTimeout(headers.get("grpc-timeout"), MAX_DEADLINE_MS);
  // A deadline that can't be parsed is the node's to refuse, with the protocol's own error.
  const timeoutMs = connect.timeoutMs ?? grpc.timeoutMs;
  return timeoutMs === undefined ? null : Math.min(timeoutMs, MAX_DEADLINE_MS);
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
  const ms = String(Math.max(1, Math.floor(leftMs)));
  if (headers.get("content-type")?.startsWith("application/grpc-web")) headers.set("grpc-timeout", `${ms}m`);
  else headers.set("connect-timeout-ms", ms);
}
