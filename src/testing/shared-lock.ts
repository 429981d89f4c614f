/** The cluster's lock, in a server of its own: a TTL on virtual time, announcements that can get lost. */
import type { ClusterLock, MasterAddress, NodeAnnouncement } from "../coordination/cluster-lock.ts";
import { neverSilent } from "../core/readiness/silence.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SharedServer } from "./shared-server.ts";
import type { Gate, VirtualTime } from "./virtual-clock.ts";

export class LockServer {
  /** Of announcements that get lost on their way to one listener. */
  lossOfAnnouncements = 0;
  /** Processes that use another key have another lock. */
  readonly key = "cluster";
  private readonly time: VirtualTime;
  private readonly random: SeededRandom;
  private readonly server: SharedServer;
  private readonly ttlMs: number;
  private held: { readonly incarnation: string; readonly until: number } | null = null;
  private master: MasterAddress | null = null;
  private readonly nodes = new Map<string, NodeAnnouncement>();
  private readonly listeners = new Set<(master: MasterAddress | null) => void>();

  constructor(parts: { time: VirtualTime; random: SeededRandom; server: SharedServer; ttlMs: number }) {
    this.time = parts.time;
    this.random = parts.random;
    this.server = parts.server;
    this.ttlMs = parts.ttlMs;
  }

  /** Redis forgets everything. */
  flush(): void {
    this.held = null;
    this.master = null;
    this.nodes.clear();
  }

  /** The lock as one process reaches it. */
  of(from: string, gate: Gate): ClusterLock {
    const call = <T>(work: () => T) => this.server.call(from, gate, async () => work());
    const own = new Set<(master: MasterAddress | null) => void>();
    return {
      name: async () => this.key,
      ttlMs: this.ttlMs,
      holder: () => call(() => this.holder()),
      acquire: (incarnation) => call(() => this.holder() === null && this.take(incarnation)),
      renew: (incarnation) => call(() => this.holder() === incarnation && this.take(incarnation)),
      release: (incarnation) =>
        call(() => {
          if (this.holder() !== incarnation) return false;
          this.held = null;
          this.master = null;
          this.announce(null);
          return true;
        }),
      publishMaster: (master) =>
        call(() => {
          if (this.holder() !== master.incarnation) return false;
          this.master = master;
          this.announce(master);
          return true;
        }),
      readMaster: () => call(() => (this.holder() === null ? null : this.master)),
      onMaster: (listener) => {
        const heard = (master: MasterAddress | null) => {
          if (!this.server.reaches(from)) return;
          this.time.after(this.random.between(0, 3), () => gate.deliver(() => listener(master)));
        };
        own.add(heard);
        this.listeners.add(heard);
        return () => this.listeners.delete(heard);
      },
      announceNode: (node) => call(() => void this.nodes.set(node.nodeId, node)),
      withdrawNode: (nodeId) => call(() => void this.nodes.delete(nodeId)),
      listNodes: () => call(() => [...this.nodes.values()]),
      silence: neverSilent("Redis"),
      close: async () => {
        for (const heard of own) this.listeners.delete(heard);
      },
    };
  }

  private holder(): string | null {
    if (this.held !== null && this.held.until <= this.time.now) {
      this.held = null;
      this.master = null;
    }
    return this.held?.incarnation ?? null;
  }

  private take(incarnation: string): true {
    this.held = { incarnation, until: this.time.now + this.ttlMs };
    return true;
  }

  private announce(master: MasterAddress | null): void {
    if (this.server.isDown()) return;
    for (const listener of [...this.listeners])
      if (!this.random.chance(this.lossOfAnnouncements)) listener(master);
  }
}
