/** One process of a simulated cluster: the parts that `src/app.ts` connects, on virtual time, network, lock and database. */

import { connectNode } from "../connect-node.ts";
import type { ClusterLock } from "../coordination/cluster-lock.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { WhyNotReady } from "../core/readiness/why-not-ready.ts";
import { KEEP_ALL_AUDIT } from "../core/state/audit-retention.ts";
import { KEEP_ALL } from "../core/state/retention.ts";
import type { Elector } from "../master/election/elector.ts";
import type { Executors } from "../node/executors.ts";
import type { Puller } from "../node/puller.ts";
import type { JobStore } from "../store/job-store.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { type Gate, type IsWait, ProcessClock, type VirtualTime } from "./virtual-clock.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

const DRAIN_GRACE_MS = 3000;
const MEMORY_MB = 16_384;

/** The settings that say how fast the cluster's own clockwork ticks. */
export interface Pace {
  readonly lockTtlMs: number;
  readonly leaseMs: number;
  readonly horizonMs: number;
  /** Waits that need not end in time; see `VirtualTime.afterAtLeast`. */
  readonly isPoll: IsWait;
  /** Waits between heartbeats, by which nothing happens; default none are. */
  readonly isBeat?: IsWait;
}

/** As in production. */
export const USUAL_PACE: Pace = {
  lockTtlMs: 3000,
  leaseMs: 6000,
  horizonMs: 300_000,
  isPoll: () => false,
};

/** What runs its handlers. */
export interface MortalExecutors extends Executors {
  /** The process has died: nothing that ran in it is heard of again. */
  die(): void;
}

export interface NodeParts {
  readonly nodeId: string;
  readonly address: string;
  readonly slots: number;
  /** Default none. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly skewMs: number;
  readonly pace: Pace;
  readonly time: VirtualTime;
  readonly gate: Gate;
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly store: JobStore;
  readonly lock: ClusterLock;
  readonly logger: Logger;
  /** The version of its time zone data; default the same for all. */
  readonly zoneData?: string;
  readonly executors: (clock: Clock) => MortalExecutors;
}

export class SimulatedNode {
  readonly nodeId: string;
  readonly address: string;
  readonly gate: Gate;
  readonly clock: ProcessClock;
  readonly incarnation: string;
  readonly elector: Elector;
  readonly whyNotReady: WhyNotReady;
  private readonly puller: Puller;
  readonly executors: MortalExecutors;
  private readonly parts: NodeParts;

  constructor(parts: NodeParts) {
    const { nodeId, address, time, gate, random, store, lock, logger, pace, skewMs } = parts;
    this.parts = parts;
    this.nodeId = nodeId;
    this.address = address;
    this.gate = gate;
    this.clock = new ProcessClock({
      time,
      gate,
      skewMs,
      uptimeMs: random.between(0, 1_000_000),
      isPoll: pace.isPoll,
      ...(pace.isBeat && { isBeat: pace.isBeat }),
    });
    const { clock } = this;
    this.executors = parts.executors(clock);
    this.incarnation = random.id();
    const { elector, puller, accept, identity, whyNotReady } = connectNode({
      incarnation: this.incarnation,
      nodeId,
      address: () => address,
      settings: {
        slots: parts.slots,
        labels: parts.labels ?? {},
        lockTtlMs: pace.lockTtlMs,
        leaseMs: pace.leaseMs,
        horizonMs: pace.horizonMs,
        maxLost: 10,
        drainGraceMs: DRAIN_GRACE_MS,
        retention: KEEP_ALL,
        auditRetention: KEEP_ALL_AUDIT,
        embedded: false,
        zoneData: parts.zoneData ?? "2026c",
      },
      network: parts.network.of(address, gate),
      links: { problemAt: () => null },
      lock,
      store,
      executors: this.executors,
      resources: {
        memoryMb: MEMORY_MB,
        measure: () => ({ cpu: 0, eventLoopDelayMs: 0, freeMemoryMb: MEMORY_MB }),
        stop: () => {},
      },
      clock,
      random,
      logger,
    });
    this.elector = elector;
    this.whyNotReady = whyNotReady;
    this.puller = puller;
    parts.network.listen(address, { gate, accept, identity });
  }

  get isMaster(): boolean {
    return !this.gate.isDead && this.elector.now().kind === "master";
  }

  start(): void {
    this.elector.start();
    this.puller.start();
  }

  /** kill -9; `silently`: its machine is gone, too. */
  crash(silently: boolean): void {
    this.executors.die();
    this.gate.kill();
    this.parts.network.close(this.address, silently);
  }

  /** As `app.ts` stops a node. */
  async stop(): Promise<void> {
    await this.elector.resign();
    await this.puller.leave();
    await this.puller.stop();
    await this.elector.stop();
    this.parts.network.close(this.address, false);
    await this.executors.stop();
    this.gate.kill();
  }
}
