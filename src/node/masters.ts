import type { MasterAddress } from "../coordination/cluster-lock.ts";

/** Where the node learns who is master. */
export interface Masters {
  current(): MasterAddress | null;
  changed(signal: AbortSignal): Promise<void>;
  /** The stream to this master has ended. */
  lost(master: MasterAddress): void;
  /** This master takes no node of this database. */
  refused(master: MasterAddress, reason: string): void;
}
