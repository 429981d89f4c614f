/**
 * Who is master, and who is there: disposable knowledge. The database's epoch is what makes two
 * masters at once harmless; this lock only makes them rare, and lets nodes find each other.
 */
import type { Silence } from "../core/readiness/silence.ts";

export interface MasterAddress {
  /** `ip:port` where the master listens. */
  readonly address: string;
  readonly nodeId: string;
  readonly incarnation: string;
  readonly epoch: number;
  /** The identity of its database's cluster, for messages. */
  readonly cluster: string;
}

export interface NodeAnnouncement {
  readonly address: string;
  readonly nodeId: string;
  readonly incarnation: string;
}

export interface ClusterLock {
  /**
   * Its key, prefix and all, and a name that its server was given when it was first asked: masters elected by different locks
   * know nothing of each other. A server that has lost all that it knew has another one.
   */
  name(): Promise<string>;
  /** How long an acquired or renewed lock is held, in milliseconds from when the server took the call. */
  readonly ttlMs: number;
  /** The incarnation that holds the lock; null: free. */
  holder(): Promise<string | null>;
  /** True: this incarnation holds the lock now, and did not before. */
  acquire(incarnation: string): Promise<boolean>;
  /** True: it still holds the lock, for another ttl. */
  renew(incarnation: string): Promise<boolean>;
  /** Compare-and-delete: gives up an own lock, or breaks that of a holder seen dead. True: it was deleted. */
  release(incarnation: string): Promise<boolean>;

  /** Stores and announces the address, if `incarnation` still holds the lock. False: it does not. */
  publishMaster(master: MasterAddress): Promise<boolean>;
  readMaster(): Promise<MasterAddress | null>;
  /** Calls back for each announcement, and when the lock was released (null). Returns what stops it. */
  onMaster(listener: (master: MasterAddress | null) => void): () => void;

  /** Keeps the node listed for `ttlMs`; called again and again. */
  announceNode(node: NodeAnnouncement, ttlMs: number): Promise<void>;
  withdrawNode(nodeId: string): Promise<void>;
  listNodes(): Promise<NodeAnnouncement[]>;

  /** How long nothing that was asked here has been answered. */
  silence(): Silence;

  close(): Promise<void>;
}
