/**
 * What a node offers to callers, by the services that ship, without a port: a call goes through protobuf's bytes, and
 * ends when the node dies, as a connection would.
 */
import { Code, ConnectError, createClient, createRouterTransport, type Transport } from "@connectrpc/connect";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import { ClusterService } from "../gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../gen/elasticjob/v1/job_service_pb.ts";
import { NodeService } from "../gen/elasticjob/v1/node_service_pb.ts";
import { createMasterCaller } from "../rpc/forwarding/master-call.ts";
import type { Peer, Peers } from "../rpc/forwarding/peers.ts";
import { DEFAULT_LIMITS } from "../rpc/limits.ts";
import { errorInterceptor } from "../rpc/server/error-interceptor.ts";
import { createClusterService } from "../rpc/services/cluster-service.ts";
import { createJobService } from "../rpc/services/job-service.ts";
import { createNodeNames } from "../rpc/services/node-names.ts";
import type { JobStore } from "../store/job-store.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedNode } from "./simulated-node.ts";

export interface NodeDoorParts {
  readonly node: SimulatedNode;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly store: JobStore;
  readonly logger: Logger;
  /** Where the node at an address is called by another one. */
  readonly peerAt: (address: string) => Transport;
}

/** How a node is called, until it dies. */
export class NodeDoor {
  readonly transport: Transport;
  readonly #died = new AbortController();

  constructor({ node, clock, random, store, logger, peerAt }: NodeDoorParts) {
    const { elector: role, whyNotReady } = node;
    const closing = this.#died.signal;
    const limits = DEFAULT_LIMITS;
    const peers: Peers = { at: (address) => peerOf(peerAt(address)), close: () => {} };
    const { incarnation } = node;
    const master = createMasterCaller({ role, peers, clock, limits, incarnation, closing });
    const names = createNodeNames(store, clock);
    const shared = { whyNotReady, store, clock, master, closing };
    const jobs = createJobService({ ...shared, role, random, limits, names });
    const self = () => ({ nodeId: node.nodeId, address: node.address });
    const cluster = createClusterService({ ...shared, self });
    const inMemory = createRouterTransport(
      ({ service }) => {
        service(JobService, jobs);
        service(ClusterService, cluster);
      },
      { router: { interceptors: [errorInterceptor(logger, random, whyNotReady)] } },
    );
    this.transport = untilAborted(inMemory, closing, () => unreachable(`${node.nodeId} has crashed`));
  }

  die(): void {
    this.#died.abort();
  }
}

/** The transport of an address at which no process is. */
export function closedDoor(address: string): Transport {
  const refuse = async () => {
    throw unreachable(`nobody listens at ${address}`);
  };
  return { unary: refuse, stream: refuse };
}

function unreachable(why: string): ConnectError {
  return new ConnectError(why, Code.Unavailable);
}

function peerOf(transport: Transport): Peer {
  return {
    jobs: createClient(JobService, transport),
    cluster: createClient(ClusterService, transport),
    nodes: createClient(NodeService, transport),
  };
}

function untilAborted(transport: Transport, signal: AbortSignal, error: () => ConnectError): Transport {
  async function orAbort<T>(answer: Promise<T>): Promise<T> {
    if (signal.aborted) throw error();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(error());
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([answer, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
  return {
    unary: (...call) => orAbort(transport.unary(...call)),
    async stream(...call) {
      const response = await orAbort(transport.stream(...call));
      return { ...response, message: each(response.message, (ask) => orAbort(ask())) };
    },
  };
}

/** The same messages, each of which is asked for, and waited for, by `wait`. */
export function each<T>(
  messages: AsyncIterable<T>,
  wait: <R>(ask: () => Promise<R>) => Promise<R>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return {
        next: () => wait(() => iterator.next()),
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}
