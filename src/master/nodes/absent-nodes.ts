/**
 * Nodes that hold claims and have no stream: until when they are waited for. A node is gone when it has been silent for
 * its lease and a margin, or, sooner, when its address, which was reached before, refuses twice or answers with another
 * incarnation. Then what it held is LOST.
 */
import type { Network } from "../../coordination/network.ts";
import { sleep } from "../../core/clock.ts";
import { goneAt, takeoverAt } from "../../core/lease.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import type { NodeNumbers } from "./node-numbers.ts";
import type { NodeSession } from "./node-session.ts";
import type { UnheardNodes } from "./unheard-nodes.ts";

const IDENTIFY_TIMEOUT_MS = 500;
const REFUSALS = 2;
const REFUSAL_PAUSE_MS = 50;

/** A node that is not heard for so long is worth a note for the next master. */
const NOTE_AFTER_MS = 1000;

interface AbsentNode {
  /** Since when nobody has answered it, as far as this master knows. Monotonic, as is the next. */
  readonly since: number;
  goneAt: number;
}

export interface AbsentNodesParts {
  readonly network: Network;
  readonly numbers: NodeNumbers;
  readonly holders: ClaimHolders;
  readonly endings: Endings;
  readonly unheard: UnheardNodes;
}

export class AbsentNodes {
  private readonly context: MasterContext;
  private readonly parts: AbsentNodesParts;
  /** By number: also those that only the database has told of. */
  private readonly nodes = new Map<number, AbsentNode>();

  constructor(context: MasterContext, parts: AbsentNodesParts) {
    this.context = context;
    this.parts = parts;
  }

  /** A node that this master has not heard holds a claim, as the database says. It may still come and speak for it. */
  expect(number: number): void {
    if (this.nodes.has(number)) return;
    const { settings, epochWrittenAt } = this.context;
    const isGone = settings.embedded || number === 0 || this.isKnownGone(number);
    const since = this.parts.unheard.since(number, epochWrittenAt);
    const until = takeoverAt(since, settings.leaseMs, settings.lockTtlMs);
    this.nodes.set(number, { since, goneAt: isGone ? Number.NEGATIVE_INFINITY : until });
  }

  /** A node's stream has ended. */
  left(session: NodeSession): void {
    const { heardAt } = session;
    const node = { since: heardAt, goneAt: goneAt(heardAt, this.context.settings.leaseMs) };
    this.nodes.set(session.number, node);
    void this.confirmGone(session, node);
  }

  /** The node has a stream again: it speaks for itself. */
  isBack(number: number): void {
    this.nodes.delete(number);
  }

  /** Whether some are waited for: what they held may still be theirs. */
  get areAwaited(): boolean {
    return this.nodes.size > 0;
  }

  tick(): void {
    const now = this.context.clock.monotonic();
    if (!this.context.trusted()) return;
    for (const [number, node] of this.nodes) {
      // That a process is gone may come to be known only after the election that followed.
      if (now < node.goneAt && !this.isKnownGone(number)) {
        if (now >= node.since + NOTE_AFTER_MS) this.parts.unheard.note(number, node.since);
        continue;
      }
      this.nodes.delete(number);
      this.parts.endings.lose(this.parts.holders.dropAll(number), "its node is gone");
    }
  }

  /** Asks at the node's address whether its process has ended, to spare its jobs the wait for the lease. */
  private async confirmGone(session: NodeSession, node: AbsentNode): Promise<void> {
    const { clock, ended, logger } = this.context;
    let refusals = 0;
    while (session.isReachable && !ended.aborted && this.nodes.get(session.number) === node) {
      const answer = await this.parts.network.identify(session.address, IDENTIFY_TIMEOUT_MS);
      refusals = answer === "refused" ? refusals + 1 : 0;
      const isReplaced = typeof answer === "object" && answer.incarnation !== session.incarnation;
      if (refusals >= REFUSALS || isReplaced) {
        logger.info({ nodeId: session.nodeId }, "node's process has ended");
        node.goneAt = Number.NEGATIVE_INFINITY;
        this.tick();
        return;
      }
      await sleep(clock, REFUSAL_PAUSE_MS, ended);
    }
  }

  private isKnownGone(number: number): boolean {
    return this.context.knownGone.has(this.parts.numbers.incarnationOf(number) ?? "");
  }
}
