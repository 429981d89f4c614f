import type { MasterAddress } from "../coordination/cluster-lock.ts";

/** Where the node learns who is master. */
export interface Masters {
  current(): MasterAddress | null;
  changed(signal: AbortSignal): Promise<void>;
  /** The stream to this master has ended. */
  lost(master: MasterAddress): void;
  /** This node and this master do not come together, and why: one of them refuses the other. */
  refused(master: MasterAddress, reason: string): void;
}
