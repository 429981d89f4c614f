import type { ClusterLock, MasterAddress } from "../../coordination/cluster-lock.ts";
import type { Network } from "../../coordination/network.ts";
import { type Clock, sleep } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";

/** An address that refuses is asked so often before its process counts as ended. */
const REFUSALS = 2;
const REFUSAL_PAUSE_MS = 20;
const IDENTIFY_TIMEOUT_MS = 500;

export interface DeadMastersParts {
  readonly lock: ClusterLock;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly incarnation: string;
}

/** Masters whose process is known to have ended: nobody need wait for their lock, nor for what they ran. */
export class DeadMasters {
  private readonly parts: DeadMastersParts;
  private readonly incarnations = new Set<string>();

  constructor(parts: DeadMastersParts) {
    this.parts = parts;
  }

  get known(): ReadonlySet<string> {
    return this.incarnations;
  }

  /** The stream to a master ended: asks whether its process has, and breaks its lock if so. True: it has. */
  async look(master: MasterAddress, signal: AbortSignal): Promise<boolean> {
    const { lock, logger } = this.parts;
    if (!(await this.hasEnded(master, signal))) return false;
    this.incarnations.add(master.incarnation);
    try {
      if (await lock.release(master.incarnation))
        logger.info({ master: master.nodeId }, "broke a dead master's lock");
    } catch {
      // The lock runs out by itself.
    }
    return true;
  }

  /** Refuses twice, or answers with another incarnation. Silence proves nothing. */
  private async hasEnded(master: MasterAddress, signal: AbortSignal): Promise<boolean> {
    const { network, clock, incarnation } = this.parts;
    for (let refusals = 0; refusals < REFUSALS; refusals++) {
      if (refusals > 0) await sleep(clock, REFUSAL_PAUSE_MS, signal);
      if (master.incarnation === incarnation || signal.aborted) return false;
      const answer = await network.identify(master.address, IDENTIFY_TIMEOUT_MS);
      if (typeof answer === "object" && answer.incarnation !== master.incarnation) return true;
      if (answer !== "refused") return false;
    }
    return true;
  }
}
