import type { MasterAddress } from "../../coordination/cluster-lock.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { JobStore } from "../../store/job-store.ts";

/** A master that has refused this node, or that this node has refused, is not asked again for so long. */
const REFUSED_MS = 5_000;
const MOST_REFUSALS = 100;

/**
 * Whether a master that Redis names is this cluster's: then this process's own database names it, too. Two clusters that
 * share a Redis without a prefix of their own would else become one.
 */
export class AnnouncedMasters {
  private readonly parts: { readonly store: JobStore; readonly clock: Clock; readonly logger: Logger };
  /** The last one that the database named, too. */
  private known = "";
  /** By name: until when (monotonic) a master is left alone that is not this node's, and why. */
  private readonly refusals = new Map<string, { readonly until: number; readonly why: string }>();
  /** Those of which the log tells already. */
  private readonly told = new Set<string>();

  constructor(parts: AnnouncedMasters["parts"]) {
    this.parts = parts;
  }

  /** Why it is left alone, as was found when it was last connected to; null: nothing is known against it. */
  refusalOf(master: MasterAddress): string | null {
    const refusal = this.refusals.get(nameOf(master));
    return refusal !== undefined && this.parts.clock.monotonic() < refusal.until ? refusal.why : null;
  }

  async isOurs(master: MasterAddress): Promise<boolean> {
    const { store } = this.parts;
    const name = nameOf(master);
    if (this.refusalOf(master) !== null) return false;
    if (name === this.known) return true;
    const [{ epoch, incarnation }, { address }] = await Promise.all([
      store.readMastership(),
      store.readCluster(),
    ]);
    // Its address, too: where it does not listen, it would soon be taken for dead, and what it runs be given out again.
    if (epoch !== master.epoch || incarnation !== master.incarnation || address !== master.address) {
      // A master whose database has moved on is on its way out; one of a later epoch than ours has another database.
      if (master.epoch > epoch) await this.tell(master);
      return false;
    }
    this.known = name;
    return true;
  }

  refused(master: MasterAddress, why: string): void {
    this.known = "";
    if (this.refusals.size > MOST_REFUSALS) this.refusals.clear();
    this.refusals.set(nameOf(master), { until: this.parts.clock.monotonic() + REFUSED_MS, why });
  }

  private async tell(master: MasterAddress): Promise<void> {
    if (!this.isNew(nameOf(master))) return;
    const { identity } = await this.parts.store.readCluster();
    this.parts.logger.error(
      { master: master.nodeId, address: master.address, cluster: identity, masterCluster: master.cluster },
      "the master that Redis names uses another database (MYSQL_URL) than this node; give each cluster that shares a Redis its own CLUSTER_PREFIX",
    );
  }

  private isNew(name: string): boolean {
    if (this.told.has(name)) return false;
    if (this.told.size > 100) this.told.clear();
    this.told.add(name);
    return true;
  }
}

function nameOf({ incarnation, epoch }: MasterAddress): string {
  return `${incarnation}/${epoch}`;
}
