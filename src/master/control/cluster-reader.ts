import type { Queues } from "../../core/queues/queues.ts";
import type { MasterContext } from "../context.ts";
import type { ClusterView } from "../job-api.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import type { ConnectedNodes } from "../nodes/connected-nodes.ts";
import type { NodeSession } from "../nodes/node-session.ts";

export interface ClusterReaderParts {
  readonly queues: Queues;
  readonly nodes: ConnectedNodes;
  readonly holders: ClaimHolders;
}

/** The cluster as callers see it: what memory knows, and nothing that has to be asked of the database. */
export class ClusterReader {
  private readonly context: MasterContext;
  private readonly parts: ClusterReaderParts;

  constructor(context: MasterContext, parts: ClusterReaderParts) {
    this.context = context;
    this.parts = parts;
  }

  read(): ClusterView {
    const nodes = this.parts.nodes.all().map((session) => ({
      nodeId: session.nodeId,
      address: session.address,
      slots: session.slots,
      usedSlots: this.usedSlots(session),
      handlers: [...session.handlers].sort(),
      labels: session.labels,
      cpu: session.cpu,
      freeMemoryMb: session.freeMemoryMb,
      draining: session.draining,
      timeZoneData: session.timeZoneData,
    }));
    return { epoch: this.context.epoch, nodes, ...this.parts.queues.counts() };
  }

  /** Not from its credit, which is for jobs that wait at the node too, and nothing while it drains. */
  private usedSlots({ slots, number }: NodeSession): number {
    let used = 0;
    for (const jobId of this.parts.holders.of(number).keys()) {
      // Most claims of short jobs only wait there: thousands, whose number does not matter.
      if (used >= slots) return slots;
      used += this.parts.queues.get(jobId)?.record.spec.requirements.slots ?? 1;
    }
    return Math.min(slots, used);
  }
}
