import type { Http2Session } from "node:http2";
import { type GrpcTransportOptions, Http2SessionManager } from "@connectrpc/connect-node";

type SessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

// Together shorter than a node's lease, so that a dead connection is known before it is needed.
const PING_INTERVAL_MS = 2000;
const PING_TIMEOUT_MS = 3000;
const IDLE_MS = 60_000;

/** One HTTP/2 connection to a node, opened when first needed, and found dead by pings. */
export interface PeerSession {
  readonly manager: SessionManager;
  /** Resolves to whether there is a connection. */
  connect(): Promise<boolean>;
  /** Cuts the connection, and all calls on it, at once. */
  destroy(): void;
}

export function createPeerSession(address: string): PeerSession {
  const manager = new Http2SessionManager(`http://${address}`, {
    pingIntervalMs: PING_INTERVAL_MS,
    pingTimeoutMs: PING_TIMEOUT_MS,
    idleConnectionTimeoutMs: IDLE_MS,
  });
  const guarded = new WeakSet<Http2Session>();
  return {
    manager: {
      authority: manager.authority,
      async request(method, path, headers, options) {
        const stream = await manager.request(method, path, headers, options);
        const session = stream.session;
        if (session !== undefined && !guarded.has(session)) {
          // When a ping times out, the manager destroys the connection; if `abort` is called before
          // that has come through, it takes its listeners off, and the error would end the process.
          session.on("error", () => {});
          guarded.add(session);
        }
        return stream;
      },
      notifyResponseByteRead: (stream) => manager.notifyResponseByteRead(stream),
    },
    connect: async () => (await manager.connect()) !== "error",
    destroy: () => manager.abort(),
  };
}
