/**
 * What nodes say to each other. A GetJob stream is handed to the master as plain calls: each message
 * that comes in, and `closed`, exactly once, whichever side or failure ended it.
 */
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { MasterStream, StreamHandler } from "../../coordination/network.ts";
import type { Logger } from "../../core/logger.ts";
import {
  type ChallengeRequest,
  type GetJobRequest,
  type GetJobResponse,
  type IdentifyRequest,
  type NodeService,
  type ProveRequest,
} from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { Role } from "../../master/election/role.ts";
import { CALL_CONNECTION } from "../connection.ts";
import { notRun } from "../error-codes.ts";
import type { RpcLimits } from "../limits.ts";
import { messageSize } from "../message-size.ts";
import { OutgoingQueue } from "../outgoing-queue.ts";
import { answerChallenge, takeProof } from "../proof/answer-challenge.ts";
import type { ClusterSecrets } from "../proof/cluster-secrets.ts";

/** As many as a page has jobs. */
const MAX_NEEDS = 1000;

export function createNodeService(options: {
  readonly role: Role;
  readonly identity: { readonly incarnation: string; readonly nodeId: string };
  /** This node's `ip:port`; empty until it listens. */
  readonly address: () => string;
  readonly secrets: ClusterSecrets;
  readonly limits: RpcLimits;
  readonly logger: Logger;
  readonly closing: AbortSignal;
}): ServiceImpl<typeof NodeService> {
  const { role, identity, limits, logger, closing, address, secrets } = options;
  const epoch = () => {
    const now = role.now();
    return now.kind === "master" ? now.epoch : 0;
  };
  const answering = { incarnation: identity.incarnation, address, epoch, secrets };

  return {
    challenge(asked: ChallengeRequest, { values }: HandlerContext) {
      return answerChallenge(answering, asked, values.get(CALL_CONNECTION).proof);
    },

    async prove(proof: ProveRequest, { values }: HandlerContext) {
      const connection = values.get(CALL_CONNECTION);
      await takeProof(answering, proof, connection.proof);
      connection.isOfNode();
      return {};
    },

    async identify({ incarnation }: IdentifyRequest) {
      const now = role.now();
      if (now.kind !== "master") return { ...identity, epoch: 0 };
      const sharesDatabase =
        incarnation !== "" && (await now.api.sharesDatabase(incarnation).catch(() => false));
      return { ...identity, epoch: now.epoch, sharesDatabase };
    },

    explainPrepared({ needs }) {
      const now = role.now();
      if (now.kind !== "master") throw notRun("this node is not the master");
      return { reasons: needs.slice(0, MAX_NEEDS).map((need) => now.api.whyPrepared(need)) };
    },

    getJob(requests: AsyncIterable<GetJobRequest>, context: HandlerContext): AsyncIterable<GetJobResponse> {
      const now = role.now();
      if (now.kind !== "master") throw notRun("this node is not the master");
      if (closing.aborted) throw notRun("this node is stopping");

      const queue = new OutgoingQueue<GetJobResponse>({
        maxItems: limits.maxQueuedMessages,
        maxBytes: limits.maxQueuedBytes,
        sizeOf: messageSize,
      });
      let ended = false;
      let handler: StreamHandler | null = null;
      const end = (reason: string): void => {
        if (ended) return;
        ended = true;
        closing.removeEventListener("abort", onClosing);
        context.signal.removeEventListener("abort", onAbort);
        // A reader that is not waiting for us may never come back: it is cut off.
        if (!queue.end()) context.values.get(CALL_CONNECTION).reset();
        logger.debug({ reason }, "a node's stream ended");
        // Never from within a call of the master's: it may be walking over its streams.
        queueMicrotask(() => handler?.closed());
      };
      const onClosing = (): void => end("this node is stopping");
      // Not left to the generator's `finally`, which under backpressure runs seconds later, if ever.
      const onAbort = (): void => end("the node is gone");
      closing.addEventListener("abort", onClosing);
      context.signal.addEventListener("abort", onAbort);

      const stream: MasterStream = {
        send(message) {
          if (!ended && !queue.push(message)) end("the node does not read what it is sent");
        },
        close: () => end("closed by the master"),
      };
      const accepted = now.api.acceptNode(stream);
      handler = accepted;
      const { incarnation } = context.values.get(CALL_CONNECTION).proof;
      void readAll(requests, accepted, incarnation, () => ended).then(end);
      return queue;
    },
  };

  /** Resolves with why there is nothing more to read. */
  async function readAll(
    requests: AsyncIterable<GetJobRequest>,
    handler: StreamHandler,
    incarnation: string | null,
    ended: () => boolean,
  ): Promise<string> {
    try {
      for await (const request of requests) {
        if (ended()) return "ended";
        const { message } = request;
        // Who takes another's name would be given its jobs, and end its claims.
        if (message.case === "hello" && message.value.incarnation !== incarnation) {
          logger.warn(
            { nodeId: message.value.nodeId },
            "a node said that it is another than it has proved to be",
          );
          return "its hello is of another process";
        }
        handler.message(request);
      }
      return "the node closed it";
    } catch (error) {
      logger.debug({ error }, "reading a node's stream failed");
      return "the node's messages cannot be read";
    }
  }
}
