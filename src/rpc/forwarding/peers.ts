import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ClusterService } from "../../gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { NodeService } from "../../gen/elasticjob/v1/node_service_pb.ts";
import { createPeerSession, type PeerSession, type PeerSessionOptions } from "./peer-session.ts";

/** Another node, as this one calls it. */
export interface Peer {
  readonly jobs: Client<typeof JobService>;
  readonly cluster: Client<typeof ClusterService>;
  readonly nodes: Client<typeof NodeService>;
}

/** Connections to other nodes: one for each address, opened when first needed. */
export interface Peers {
  at(address: string): Peer;
  close(): void;
}

export interface PeerOptions extends PeerSessionOptions {
  readonly maxCallBytes: number;
}

/** Only masters are called; the addresses of long-gone ones are dropped. */
const MAX_PEERS = 4;

export function createPeers(options: PeerOptions): Peers {
  const open = new Map<string, { readonly peer: Peer; readonly session: PeerSession }>();
  return {
    at(address) {
      const known = open.get(address);
      if (known !== undefined) return known.peer;
      for (const [oldest, { session }] of open) {
        if (open.size < MAX_PEERS) break;
        session.destroy();
        open.delete(oldest);
      }
      const session = createPeerSession(address, options);
      const transport = peerTransport(session, options.maxCallBytes);
      const client = <T extends DescService>(service: T) => createClient(service, transport);
      const peer: Peer = {
        jobs: client(JobService),
        cluster: client(ClusterService),
        nodes: client(NodeService),
      };
      open.set(address, { peer, session });
      return peer;
    },
    close() {
      for (const { session } of open.values()) session.destroy();
      open.clear();
    },
  };
}

export function peerTransport(session: PeerSession, maxCallBytes: number): Transport {
  return createConnectTransport({
    baseUrl: session.manager.authority,
    httpVersion: "2",
    sessionManager: session.manager,
    // Nodes stand close to each other: compressing would cost more than it saves.
    acceptCompression: [],
    readMaxBytes: maxCallBytes,
  });
}
