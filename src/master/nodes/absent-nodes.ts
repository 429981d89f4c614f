/**
 * Nodes that have claims and no stream: their claims wait for them until they count as gone. A node is gone
 * when it has been silent for its lease and a margin, or, sooner, when its address, which was reached before,
 * refuses twice or answers with another incarnation.
 */
import type { Network } from "../../coordination/network.ts";
import { sleep } from "../../core/clock.ts";
import type { JobRecord } from "../../core/job.ts";
import { goneAt, takeoverAt } from "../../core/lease.ts";
import type { MasterContext } from "../context.ts";
import type { NodeNumbers } from "./node-numbers.ts";
import type { NodeSession } from "./node-session.ts";

const IDENTIFY_TIMEOUT_MS = 500;
const REFUSALS = 2;
const REFUSAL_PAUSE_MS = 50;

interface AbsentNode {
  readonly claims: Map<number, number>;
  /** Monotonic. */
  goneAt: number;
}

export class AbsentNodes {
  private readonly context: MasterContext;
  private readonly network: Network;
  private readonly numbers: NodeNumbers;
  private readonly gone: (claims: ReadonlyMap<number, number>) => void;
  /** By number: also those that only the database has told of. */
  private readonly nodes = new Map<number, AbsentNode>();

  /** `gone` hears of the claims of each node that counts as gone. */
  constructor(
    context: MasterContext,
    parts: { network: Network; numbers: NodeNumbers },
    gone: (claims: ReadonlyMap<number, number>) => void,
  ) {
    this.context = context;
    this.network = parts.network;
    this.numbers = parts.numbers;
    this.gone = gone;
  }

  /** A claim was found in the database, of a node that this master has not heard. */
  found(record: JobRecord): void {
    const { settings, epochWrittenAt } = this.context;
    let node = this.nodes.get(record.node);
    if (node === undefined) {
      const isGone = settings.embedded || record.node === 0 || this.isKnownGone(record.node);
      const until = takeoverAt(epochWrittenAt, settings.leaseMs, settings.lockTtlMs);
      node = { claims: new Map(), goneAt: isGone ? 0 : until };
      this.nodes.set(record.node, node);
    }
    node.claims.set(record.id, record.claim);
  }

  /** A node's stream has ended. */
  left(session: NodeSession): void {
    const node = { claims: session.claims, goneAt: goneAt(session.heardAt, this.context.settings.leaseMs) };
    this.nodes.set(session.number, node);
    void this.confirmGone(session, node);
  }

  /** The node is back: its claims are its own to speak for. */
  back(number: number): ReadonlyMap<number, number> {
    const claims = this.nodes.get(number)?.claims ?? new Map<number, number>();
    this.nodes.delete(number);
    return claims;
  }

  /** Whether some absent node has this claim. */
  hold({ id, claim }: JobRecord): boolean {
    return [...this.nodes.values()].some(({ claims }) => claims.get(id) === claim);
  }

  tick(): void {
    const now = this.context.clock.monotonic();
    if (!this.context.trusted()) return;
    for (const [number, node] of this.nodes) {
      // That a process is gone may come to be known only after the election that followed.
      if (now < node.goneAt && !this.isKnownGone(number)) continue;
      this.nodes.delete(number);
      this.gone(node.claims);
    }
  }

  /** Asks at the node's address whether its process has ended, to spare its jobs the wait for the lease. */
  private async confirmGone(session: NodeSession, node: AbsentNode): Promise<void> {
    const { clock, ended, logger } = this.context;
    let refusals = 0;
    while (session.isReachable && !ended.aborted && this.nodes.get(session.number) === node) {
      const answer = await this.network.identify(session.address, IDENTIFY_TIMEOUT_MS);
      refusals = answer === "refused" ? refusals + 1 : 0;
      const isReplaced = typeof answer === "object" && answer.incarnation !== session.incarnation;
      if (refusals >= REFUSALS || isReplaced) {
        logger.info({ nodeId: session.nodeId }, "node's process has ended");
        node.goneAt = 0;
        this.tick();
        return;
      }
      await sleep(clock, REFUSAL_PAUSE_MS, ended);
    }
  }

  private isKnownGone(number: number): boolean {
    return this.context.knownGone.has(this.numbers.incarnationOf(number) ?? "");
  }
}
