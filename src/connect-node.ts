/**
 * Connects the parts of one node: who is master, the stream to it, and what runs here. The program hands in what is
 * real, the simulation its own clock, network, lock and executors; so what is tested there is the wiring that ships.
 */
import type { ClusterLock } from "./coordination/cluster-lock.ts";
import type { Identity, MasterStream, Network, StreamHandler } from "./coordination/network.ts";
import { withOwnProcess } from "./coordination/own-process.ts";
import type { AuditRetention } from "./core/audit/audit-record.ts";
import type { Clock } from "./core/clock.ts";
import type { Logger } from "./core/logger.ts";
import type { Random } from "./core/random.ts";
import type { Links } from "./core/readiness/links.ts";
import { sentenceOf } from "./core/readiness/silence.ts";
import { type WhyNotReady, whyFollowerIsNotReady } from "./core/readiness/why-not-ready.ts";
import type { Retention } from "./core/state/retention.ts";
import { Elector } from "./master/election/elector.ts";
import type { Executors } from "./node/executors.ts";
import { PINGS_PER_LEASE, Puller } from "./node/puller.ts";
import type { Resources } from "./node/resources.ts";
import { ResultWriter } from "./node/result-writer.ts";
import type { JobStore } from "./store/job-store.ts";

const MAX_JOBS_IN_MEMORY = 100_000;

export interface NodeSettings {
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly lockTtlMs: number;
  readonly leaseMs: number;
  readonly horizonMs: number;
  readonly maxLost: number;
  readonly drainGraceMs: number;
  readonly retention: Retention;
  readonly auditRetention: AuditRetention;
  readonly embedded: boolean;
  /** The version of the time zone data that it computes with. */
  readonly zoneData: string;
}

export interface NodeParts {
  readonly incarnation: string;
  readonly nodeId: string;
  /** This node's `ip:port`; empty until it listens. */
  readonly address: () => string;
  readonly settings: NodeSettings;
  /** How other processes are reached. */
  readonly network: Network;
  /** What is in the way of connections to other nodes. */
  readonly links: Pick<Links, "problemAt">;
  readonly lock: ClusterLock;
  readonly store: JobStore;
  readonly executors: Executors;
  readonly resources: Resources;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface ConnectedNode {
  readonly elector: Elector;
  readonly puller: Puller;
  /** Takes in a stream to this process's master; null: it is not master. */
  readonly accept: (stream: MasterStream) => StreamHandler | null;
  readonly identity: () => Identity;
  readonly whyNotReady: WhyNotReady;
}

export function connectNode(parts: NodeParts): ConnectedNode {
  const { incarnation, nodeId, address, lock, store, executors, resources, clock, random, logger } = parts;
  const {
    slots,
    labels,
    lockTtlMs,
    leaseMs,
    horizonMs,
    maxLost,
    drainGraceMs,
    retention,
    auditRetention,
    embedded,
    zoneData,
  } = parts.settings;
  const accept = (stream: MasterStream) => {
    const now = elector.now();
    return now.kind === "master" ? now.api.acceptNode(stream) : null;
  };
  const identity = () => {
    const now = elector.now();
    const isMaster = now.kind === "master";
    return { incarnation, nodeId, epoch: isMaster ? now.epoch : 0, sharesDatabase: isMaster };
  };
  const network = withOwnProcess(parts.network, { address, accept, identity });
  const elector = new Elector({
    lock,
    store,
    network,
    clock,
    random,
    logger,
    settings: {
      lockTtlMs,
      leaseMs,
      horizonMs,
      maxJobsInMemory: MAX_JOBS_IN_MEMORY,
      maxLost,
      retention,
      auditRetention,
      embedded,
      zoneData,
    },
    incarnation,
    nodeId,
    address,
  });
  const puller = new Puller({
    settings: { incarnation, nodeId, address, slots, labels, leaseMs, maxLost, drainGraceMs, zoneData },
    masters: {
      current: () => {
        const now = elector.now();
        if (now.kind === "follower") return now.master;
        if (now.kind !== "master") return null;
        return { address: address(), nodeId, incarnation, epoch: now.epoch, cluster: "" };
      },
      changed: (changed) => elector.changed(changed),
      lost: (master) => void elector.masterIsGone(master),
      refused: (master, reason) => elector.refused(master, reason),
    },
    enter: async () => {
      await store.registerNode(incarnation, nodeId);
      return (await store.readCluster()).identity;
    },
    network,
    executors,
    resources,
    writer: new ResultWriter({ store, clock, logger }),
    clock,
    logger,
  });
  const whyNotReady = () => {
    const now = elector.now();
    switch (now.kind) {
      case "none":
        return elector.whyNobodyIsMaster();
      case "follower": {
        const { address: master } = now.master;
        const pingEveryMs = leaseMs / PINGS_PER_LEASE;
        const heard = puller.heard.of(now.master);
        return whyFollowerIsNotReady({
          master,
          pingEveryMs,
          ...heard,
          unreached: parts.links.problemAt(master),
          strangeHolder: elector.strangeHolder,
          lock: lock.silence(),
        });
      }
      case "master": {
        const silence = elector.silence();
        return silence === null ? null : sentenceOf(silence);
      }
    }
  };
  return { elector, puller, accept, identity, whyNotReady };
}
