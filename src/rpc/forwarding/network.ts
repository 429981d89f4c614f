/** `Network` over Connect: HTTP/2, one connection for each stream, so that closing one cuts it alone. */
import { createClient } from "@connectrpc/connect";
import type { Network } from "../../coordination/network.ts";
import type { Clock } from "../../core/clock.ts";
import { type GetJobRequest, NodeService } from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { RpcLimits } from "../limits.ts";
import { messageSize } from "../message-size.ts";
import { OutgoingQueue } from "../outgoing-queue.ts";
import { isRefused } from "./call-failure.ts";
import { createPeerSession, type PeerSessionOptions, whyUnproved } from "./peer-session.ts";
import { peerTransport } from "./peers.ts";

/** A node that does not even complete a handshake within this is out of reach. */
const CONNECT_LIMIT_MS = 3000;

export function createNetwork(
  options: PeerSessionOptions & { readonly clock: Clock; readonly limits: RpcLimits },
): Network {
  const { clock, limits, asking, tls } = options;

  return {
    openStream(address, on) {
      const session = createPeerSession(address, options);
      const client = createClient(NodeService, peerTransport(session, limits.maxCallBytes));
      const abort = new AbortController();
      const queue = new OutgoingQueue<GetJobRequest>({
        maxItems: limits.maxQueuedMessages,
        maxBytes: limits.maxQueuedBytes,
        sizeOf: messageSize,
      });
      let closed = false;

      const end = (reason: string, isStranger = false): void => {
        if (closed) return;
        closed = true;
        stopConnectLimit();
        queue.end();
        abort.abort();
        session.destroy();
        // Never from within a call of ours: the caller would be called back before it has its stream.
        queueMicrotask(() => on.closed(reason, isStranger));
      };

      const stopConnectLimit = clock.after(CONNECT_LIMIT_MS, () => {
        end(`no connection to ${address} within ${CONNECT_LIMIT_MS} ms`);
      });
      void session.connect().then((connected) => {
        if (connected) stopConnectLimit();
      });

      const receive = async (): Promise<void> => {
        for await (const message of client.getJob(queue, { signal: abort.signal })) {
          if (closed) return;
          on.message(message);
        }
      };
      receive().then(
        () => end("the master closed it"),
        (error) => {
          const strange = whyUnproved(error);
          end(strange ?? (error instanceof Error ? error.message : String(error)), strange !== null);
        },
      );

      return {
        send(message) {
          if (!closed && !queue.push(message)) end("the master does not read what it is sent");
        },
        close: () => end("closed here"),
      };
    },

    async identify(address, timeoutMs, unproved = () => {}) {
      // Whoever asks knows what it is worth to be told: most nodes are none that this one depends on.
      const session = createPeerSession(address, { asking, tls });
      const client = createClient(NodeService, peerTransport(session, limits.maxCallBytes));
      try {
        const answer = await client.identify({ incarnation: asking.incarnation }, { timeoutMs });
        const { incarnation, nodeId, epoch, sharesDatabase } = answer;
        return { incarnation, nodeId, epoch, sharesDatabase };
      } catch (error) {
        const why = whyUnproved(error);
        if (why !== null) unproved(why);
        return isRefused(error) ? "refused" : "silent";
      } finally {
        session.destroy();
      }
    },
  };
}
