/**
 * The lock of a cluster of one process. What keeps a second process out is the operating system's lock
 * on a side file in the data folder, held from opening to closing; it vanishes with the process, however
 * that ends. Who is master within the process is kept in memory.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../core/clock.ts";
import { ElasticJobError } from "../core/errors.ts";
import { neverSilent } from "../core/readiness/silence.ts";
import { makeDataFolder, unusable } from "../data-folder.ts";
import type { ClusterLock, MasterAddress, NodeAnnouncement } from "./cluster-lock.ts";

export interface LocalLockOptions {
  readonly dataDir: string;
  readonly ttlMs: number;
  readonly clock: Clock;
}

/** Throws `failed_precondition` when another process works in this folder. */
export function openLocalLock({ dataDir, ttlMs, clock }: LocalLockOptions): ClusterLock {
  const file = holdFile(dataDir);
  let lock: { readonly incarnation: string; readonly until: number } | null = null;
  let master: MasterAddress | null = null;
  const nodes = new Map<string, { readonly node: NodeAnnouncement; readonly until: number }>();
  const listeners = new Set<(master: MasterAddress | null) => void>();

  const holder = (): string | null => {
    if (lock !== null && lock.until <= clock.monotonic()) {
      lock = null;
      master = null;
    }
    return lock?.incarnation ?? null;
  };
  const announce = (announced: MasterAddress | null): void => {
    // Later, as with a real announcement: never within the call that caused it.
    queueMicrotask(() => {
      for (const listener of [...listeners]) listener(announced);
    });
  };
  const take = (incarnation: string): true => {
    lock = { incarnation, until: clock.monotonic() + ttlMs };
    return true;
  };

  return {
    name: async () => "local",
    ttlMs,
    holder: async () => holder(),
    acquire: async (incarnation) => holder() === null && take(incarnation),
    renew: async (incarnation) => holder() === incarnation && take(incarnation),
    async release(incarnation) {
      if (holder() !== incarnation) return false;
      lock = null;
      master = null;
      announce(null);
      return true;
    },

    async publishMaster(address) {
      if (holder() !== address.incarnation) return false;
      master = address;
      announce(address);
      return true;
    },
    readMaster: async () => (holder() === null ? null : master),
    onMaster(listener) {
      // A wrapper, so that a listener that was added twice is there twice.
      const added = (announced: MasterAddress | null) => listener(announced);
      listeners.add(added);
      return () => listeners.delete(added);
    },

    async announceNode(node, nodeTtlMs) {
      nodes.set(node.nodeId, { node, until: clock.monotonic() + nodeTtlMs });
    },
    async withdrawNode(nodeId) {
      nodes.delete(nodeId);
    },
    async listNodes() {
      const now = clock.monotonic();
      for (const [nodeId, { until }] of nodes) if (until <= now) nodes.delete(nodeId);
      return [...nodes.values()].map(({ node }) => node);
    },

    silence: neverSilent("this process"),

    async close() {
      listeners.clear();
      if (file.isOpen) file.close();
    },
  };
}

/** An SQLite file only for its locking, which works alike on every system that Node runs on. */
function holdFile(dataDir: string): DatabaseSync {
  makeDataFolder(dataDir);
  let file: DatabaseSync | null = null;
  try {
    file = new DatabaseSync(join(dataDir, "cluster.lock"), { timeout: 0 });
    file.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return file;
  } catch (error) {
    file?.close();
    if (!isBusy(error)) throw unusable(dataDir, error);
    const what =
      "is in use by another process: stop that one, or choose another folder; " +
      "for several nodes set REDIS_URL and MYSQL_URL";
    throw new ElasticJobError("failed_precondition", `DATA_DIR ${dataDir} ${what}`, { cause: error });
  }
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}
