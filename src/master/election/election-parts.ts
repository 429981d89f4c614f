import type { ClusterLock } from "../../coordination/cluster-lock.ts";
import type { Network } from "../../coordination/network.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { Random } from "../../core/random.ts";
import type { JobStore } from "../../store/job-store.ts";
import type { MasterSettings } from "../context.ts";

/** What a process brings to be elected, and to be master then. */
export interface ElectionParts {
  readonly lock: ClusterLock;
  readonly store: JobStore;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: MasterSettings;
  readonly incarnation: string;
  readonly nodeId: string;
  /** This node's `ip:port`; known by the time the elector starts. */
  readonly address: () => string;
}
