import type { Http2Session } from "node:http2";
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
  /** The caller is a node: it brings the calls of many, and of its own, on one connection. */
  isOfNode(): void;
}

export const CALL_CONNECTION: ContextKey<CallConnection> = createContextKey<CallConnection>(
  { http1: false, reset: () => {}, isOfNode: () => {} },
  { description: "the connection under a call" },
);

const MOST_STREAMS = 2 ** 31 - 1;
const allowed = new WeakSet<Http2Session>();

function allowAllStreams(session: Http2Session | undefined): void {
  if (session === undefined || session.destroyed || allowed.has(session)) return;
  allowed.add(session);
  session.settings({ maxConcurrentStreams: MOST_STREAMS });
}

export function connectionValues(request: NodeRequest): ContextValues {
  const connection: CallConnection =
    "stream" in request
      ? {
          http1: false,
          reset: () => request.stream.destroy(),
          isOfNode: () => allowAllStreams(request.stream.session),
        }
      : { http1: true, reset: () => request.socket.destroy(), isOfNode: () => {} };
  return createContextValues().set(CALL_CONNECTION, connection);
}
