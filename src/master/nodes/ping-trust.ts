import type { MasterContext } from "../context.ts";

/** How long a reading of the database's epoch stands in for trust. */
const EPOCH_READ_LIFE_MS = 500;

/**
 * Whether pings may be answered. Without trust (Redis is out of reach) they are still, so that running jobs may
 * end, as long as the database says that nobody else has been elected.
 */
export class PingTrust {
  private readonly context: MasterContext;
  /** Monotonic: when the database's epoch was last seen to be ours. */
  private epochReadAt = Number.NEGATIVE_INFINITY;

  constructor(context: MasterContext) {
    this.context = context;
  }

  async mayAnswer(): Promise<boolean> {
    const { clock, store, epoch } = this.context;
    if (this.context.trusted()) return true;
    if (clock.monotonic() - this.epochReadAt > EPOCH_READ_LIFE_MS) {
      const readAt = clock.monotonic();
      const current = await store.readMastership().catch(() => null);
      if (current === null) return false;
      if (current.epoch !== epoch) {
        this.context.deposed();
        return false;
      }
      this.epochReadAt = readAt;
    }
    return clock.monotonic() - this.epochReadAt <= EPOCH_READ_LIFE_MS;
  }
}
