/**
 * Who may try for the lock first: nodes with the newest time zone data, so that local times do not go back and forth
 * with the masters. Each node tells the database once which version it has. One with an older version than has been
 * there leaves a free lock alone for a TTL, in which every node with a newer one that is up has tried several times; if it
 * is still free then, there is none, and the cluster is better off with old rules than without a master.
 */
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { JobStore } from "../../store/job-store.ts";
import type { MasterSettings } from "../context.ts";

export interface ZonePrecedenceParts {
  readonly store: JobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: MasterSettings;
}

export class ZonePrecedence {
  private readonly parts: ZonePrecedenceParts;
  /** Null: not yet, or it failed. */
  private offered: Promise<void> | null = null;
  private hasWarned = false;
  /** Monotonic: since when the lock has been left alone. */
  private leftSince: number | null = null;

  constructor(parts: ZonePrecedenceParts) {
    this.parts = parts;
  }

  /** Another node is master: nothing is waited for, but others learn which version is here. */
  lockIsHeld(): void {
    this.leftSince = null;
    // Not waited for: whom to follow is no question to the database.
    this.offer().catch(() => {
      this.offered = null;
    });
  }

  /** The lock looks free: whether this node may try for it now. */
  async mayTry(): Promise<boolean> {
    const { store, clock, logger, settings } = this.parts;
    const own = settings.zoneData;
    await this.offer().catch((error: unknown) => {
      this.offered = null;
      throw error;
    });
    const { newest } = await store.readZoneVersions();
    if (own >= newest) return true;
    if (!this.hasWarned) {
      const words =
        "this node's time zone data is older than the cluster has had; it becomes master only when no node with newer data is there";
      logger.warn({ timeZoneData: own, newest }, words);
    }
    this.hasWarned = true;
    // Alone, there is nobody to wait for.
    if (settings.embedded) return true;
    const now = clock.monotonic();
    this.leftSince ??= now;
    return now - this.leftSince >= settings.lockTtlMs;
  }

  private offer(): Promise<void> {
    this.offered ??= this.parts.store.offerZoneData(this.parts.settings.zoneData);
    return this.offered;
  }
}
