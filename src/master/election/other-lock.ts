import type { ClusterLock } from "../../coordination/cluster-lock.ts";
import type { Network } from "../../coordination/network.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { JobStore, StoredMastership } from "../../store/job-store.ts";

const IDENTIFY_TIMEOUT_MS = 500;
/** A master under another lock that has been silent for so long counts as gone. */
const SILENT_MS = 10_000;
/** A master whose lock's server has lost what it knew says by which it is elected now within a renewal: nothing is wrong then. */
const TOLD_AFTER_MS = 5_000;

/**
 * Whether this database has a living master that was elected by another lock: two prefixes, or two Redis servers, on one database would make
 * two masters that depose each other for ever. Who comes second stays out, and says why.
 */
export class OtherLock {
  private readonly parts: {
    readonly store: JobStore;
    readonly lock: ClusterLock;
    readonly network: Network;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly incarnation: string;
    readonly nodeId: string;
  };
  private silentSince: number | null = null;
  private usedSince: number | null = null;
  private hasTold = false;

  constructor(parts: OtherLock["parts"]) {
    this.parts = parts;
  }

  async isUsed({ epoch, incarnation }: StoredMastership): Promise<boolean> {
    const { store, lock, network, clock, logger } = this.parts;
    if (epoch === 0) return false;
    const { identity, address, lockKey } = await store.readCluster();
    if (lockKey === "" || address === "") return false;
    const ownLock = await lock.name();
    if (lockKey === ownLock) {
      this.usedSince = null;
      return false;
    }
    // What the other one finds of this process tells whether this is its database, or a copy.
    await store.registerNode(this.parts.incarnation, this.parts.nodeId);
    const answer = await network.identify(address, IDENTIFY_TIMEOUT_MS);
    if (answer === "silent") {
      this.silentSince ??= clock.monotonic();
      return clock.monotonic() - this.silentSince < SILENT_MS;
    }
    this.silentSince = null;
    const isMaster =
      typeof answer === "object" && answer.incarnation === incarnation && answer.epoch === epoch;
    // A copy of the database names the original's master, which does not know this process.
    const isUsed = isMaster && answer.sharesDatabase;
    this.usedSince = isUsed ? (this.usedSince ?? clock.monotonic()) : null;
    const isLasting = this.usedSince !== null && clock.monotonic() - this.usedSince >= TOLD_AFTER_MS;
    if (isLasting && !this.hasTold) {
      logger.error(
        { cluster: identity, address, lock: lockKey, ownLock },
        "this database (MYSQL_URL) has a master that was elected by another lock; nodes of one cluster need the same REDIS_URL and CLUSTER_PREFIX, and each cluster a database of its own",
      );
    }
    this.hasTold = isLasting;
    return isUsed;
  }
}
