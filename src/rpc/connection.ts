import {
  type ContextKey,
  type ContextValues,
  createContextKey,
  createContextValues,
} from "@connectrpc/connect";
import type { connectNodeAdapter } from "@connectrpc/connect-node";

export type NodeHandler = ReturnType<typeof connectNodeAdapter>;
export type NodeRequest = Parameters<NodeHandler>[0];
export type NodeResponse = Parameters<NodeHandler>[1];

/** The connection under a call, as far as a service needs it. */
export interface CallConnection {
  readonly http1: boolean;
  /** Cuts the call off, without waiting for the other side to read. */
  reset(): void;
}

export const CALL_CONNECTION: ContextKey<CallConnection> = createContextKey<CallConnection>(
  { http1: false, reset: () => {} },
  { description: "the connection under a call" },
);

export function connectionValues(request: NodeRequest): ContextValues {
  const connection: CallConnection =
    "stream" in request
      ? { http1: false, reset: () => request.stream.destroy() }
      : { http1: true, reset: () => request.socket.destroy() };
  return createContextValues().set(CALL_CONNECTION, connection);
}
