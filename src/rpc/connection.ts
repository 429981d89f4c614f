import type { Http2Session } from "node:http2";
import {
  type ContextKey,
  type ContextValues,
  createContextKey,
  createContextValues,
} from "@connectrpc/connect";
import type { connectNodeAdapter } from "@connectrpc/connect-node";
import { isLocalCaller } from "../core/callers/local-caller.ts";
import type { ConnectionProof } from "./proof/answer-challenge.ts";

export type NodeHandler = ReturnType<typeof connectNodeAdapter>;
export type NodeRequest = Parameters<NodeHandler>[0];
export type NodeResponse = Parameters<NodeHandler>[1];

/** The connection under a call, as far as a service needs it. */
export interface CallConnection {
  readonly http1: boolean;
  /** The address that it comes from. */
  readonly remote: string;
  /** Whether the call comes from this machine, and is not passed on for somebody elsewhere. */
  readonly isLocal: boolean;
  /** Which node it is proved to be of. Of HTTP/1.1, of which a proxy may share one among many callers, nothing is ever proved. */
  readonly proof: ConnectionProof;
  /** Cuts the call off, without waiting for the other side to read. */
  reset(): void;
  /** The caller is a node: it brings the calls of many, and of its own, on one connection. */
  isOfNode(): void;
}

const nothingProved = (): ConnectionProof => ({ incarnation: null, transcript: null });

export const CALL_CONNECTION: ContextKey<CallConnection> = createContextKey<CallConnection>(
  {
    http1: false,
    remote: "",
    isLocal: false,
    proof: Object.freeze(nothingProved()),
    reset: () => {},
    isOfNode: () => {},
  },
  { description: "the connection under a call" },
);

const MOST_STREAMS = 2 ** 31 - 1;
const allowed = new WeakSet<Http2Session>();
const proofs = new WeakMap<Http2Session, ConnectionProof>();

function allowAllStreams(session: Http2Session | undefined): void {
  if (session === undefined || session.destroyed || allowed.has(session)) return;
  allowed.add(session);
  session.settings({ maxConcurrentStreams: MOST_STREAMS });
}

function proofOn(session: Http2Session | undefined): ConnectionProof {
  if (session === undefined) return nothingProved();
  const known = proofs.get(session);
  if (known !== undefined) return known;
  const proof = nothingProved();
  proofs.set(session, proof);
  return proof;
}

function isLocal({ socket, headers }: NodeRequest): boolean {
  const host = headers[":authority"] ?? headers.host;
  return isLocalCaller(socket.remoteAddress, String(host ?? ""), (name) => headers[name] !== undefined);
}

export function connectionValues(request: NodeRequest): ContextValues {
  const connection: CallConnection =
    "stream" in request
      ? {
          http1: false,
          remote: request.socket.remoteAddress ?? "",
          // Seldom asked for, and a URL has to be read for it.
          get isLocal() {
            return isLocal(request);
          },
          proof: proofOn(request.stream.session),
          reset: () => request.stream.destroy(),
          isOfNode: () => allowAllStreams(request.stream.session),
        }
      : {
          http1: true,
          remote: request.socket.remoteAddress ?? "",
          get isLocal() {
            return isLocal(request);
          },
          proof: nothingProved(),
          reset: () => request.socket.destroy(),
          isOfNode: () => {},
        };
  return createContextValues().set(CALL_CONNECTION, connection);
}
