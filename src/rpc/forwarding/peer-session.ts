import type { Http2Session } from "node:http2";
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  type GrpcTransportOptions,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import type { Links } from "../../core/readiness/links.ts";
import { NodeService } from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { Tls } from "../../tls/certificates.ts";
import { notRun } from "../error-codes.ts";
import { type Asking, askForProof, strangerIn } from "../proof/ask-for-proof.ts";
import { linkProblemIn, peerLink } from "./peer-link.ts";

type SessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

// Together shorter than a node's lease, so that a dead connection is known before it is needed.
const PING_INTERVAL_MS = 2000;
const PING_TIMEOUT_MS = 3000;
const IDLE_MS = 60_000;
/** Two calls to a process that lives. */
const PROOF_TIMEOUT_MS = 3000;
const MOST_PROOF_BYTES = 4096;
/** How often a call may find that its connection went while it was being proved. */
const MOST_TRIES = 3;

/** One HTTP/2 connection to a node, opened when first needed, and found dead by pings. */
export interface PeerSession {
  /** Makes calls only where both sides have proved that they belong together: on each connection anew. */
  readonly manager: SessionManager;
  /** Resolves to whether there is a connection. */
  connect(): Promise<boolean>;
  /** Cuts the connection, and all calls on it, at once. */
  destroy(): void;
}

export interface PeerSessionOptions {
  readonly asking: Asking;
  /** How other nodes are called; null: in the clear. */
  readonly tls: Tls | null;
  /** Hears what came of a connection, as far as it is TLS's or the proof's. Default: nobody does. */
  readonly links?: Pick<Links, "failed" | "made">;
}

export function createPeerSession(address: string, { asking, tls, links }: PeerSessionOptions): PeerSession {
  const link = peerLink(address, tls);
  const manager = new Http2SessionManager(
    link.url,
    {
      pingIntervalMs: PING_INTERVAL_MS,
      pingTimeoutMs: PING_TIMEOUT_MS,
      idleConnectionTimeoutMs: IDLE_MS,
    },
    link.options,
  );
  const guarded = new WeakSet<Http2Session>();
  const proved = new WeakSet<Http2Session>();
  /** The last one that a call went by. */
  let last: Http2Session | undefined;
  let proving: Promise<void> | null = null;

  /** On any connection: only for what proves it. */
  const unproved: SessionManager = {
    authority: manager.authority,
    async request(method, path, headers, options) {
      const stream = await manager.request(method, path, headers, options).catch(link.explain);
      const session = stream.session;
      if (session !== undefined && !guarded.has(session)) {
        // When a ping times out, the manager destroys the connection; if `abort` is called before
        // that has come through, it takes its listeners off, and the error would end the process.
        session.on("error", () => {});
        link.watch(session);
        guarded.add(session);
      }
      last = session;
      return stream;
    },
    notifyResponseByteRead: (stream) => manager.notifyResponseByteRead(stream),
  };
  async function prove(): Promise<void> {
    const askedOn = new Set<Http2Session | undefined>();
    const sessionManager: SessionManager = {
      ...unproved,
      async request(method, path, headers, options) {
        const stream = await unproved.request(method, path, headers, options);
        askedOn.add(stream.session);
        return stream;
      },
    };
    const transport = createConnectTransport({
      baseUrl: link.url,
      httpVersion: "2",
      sessionManager,
      acceptCompression: [],
      readMaxBytes: MOST_PROOF_BYTES,
    });
    await askForProof(createClient(NodeService, transport), address, asking, PROOF_TIMEOUT_MS).catch(
      link.explain,
    );
    const [session] = askedOn;
    // Of two connections each would have proved half.
    if (askedOn.size === 1 && session !== undefined) proved.add(session);
  }

  async function proveAndTell(): Promise<void> {
    try {
      await prove();
      links?.made(address);
    } catch (error) {
      const why = whyUnproved(error);
      if (why !== null) links?.failed(address, why);
      throw error;
    }
  }

  const isProved = (session: Http2Session | undefined) =>
    session !== undefined && !session.closed && !session.destroyed && proved.has(session);

  return {
    manager: {
      ...unproved,
      async request(method, path, headers, options) {
        for (let tries = 0; tries < MOST_TRIES; tries++) {
          if (!isProved(last)) {
            proving ??= proveAndTell().finally(() => {
              proving = null;
            });
            await proving;
          }
          const stream = await unproved.request(method, path, headers, options);
          if (isProved(stream.session)) return stream;
          // Its headers say nothing that is secret, and nothing more was sent yet.
          stream.close();
        }
        throw notRun(`the connection to ${address} goes as soon as it is made; try again`);
      },
    },
    connect: async () => (await manager.connect()) !== "error",
    destroy: () => manager.abort(),
  };
}

/** What is to be said of a connection that could not be made because of TLS, or of who is there; null: it was something else. */
export function whyUnproved(error: unknown): string | null {
  return strangerIn(error) ?? linkProblemIn(error);
}
