import type { ClusterLock } from "../../coordination/cluster-lock.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { JobStore } from "../../store/job-store.ts";

/** A node that is elected announces itself within moments, and has entered itself in the database before. */
const STRANGE_AFTER_MS = 3_000;
const SHOWN_CHARACTERS = 64;

/**
 * Whether the lock is held by what is no node of this cluster: by another cluster's node, or by whoever has written the key.
 * Nobody is master then, for as long as he goes on, and only a person can tell whether he may be thrown out.
 */
export class StrangeHolder {
  readonly #parts: {
    readonly lock: ClusterLock;
    readonly store: JobStore;
    readonly clock: Clock;
    readonly logger: Logger;
  };
  #holder = "";
  #since = 0;
  #key = "";
  #isStrange = false;

  constructor(parts: { lock: ClusterLock; store: JobStore; clock: Clock; logger: Logger }) {
    this.#parts = parts;
  }

  /** In words that say what to do; null: there is none. */
  get told(): string | null {
    if (!this.#isStrange) return null;
    const seconds = Math.round((this.#parts.clock.monotonic() - this.#since) / 1000);
    const who = JSON.stringify(this.#holder.slice(0, SHOWN_CHARACTERS));
    return `the lock in Redis (the key ${this.#key}) is held by ${who}, which is no node of this cluster, for ${seconds} s; give another cluster that uses this Redis its own CLUSTER_PREFIX, or, if none of your nodes holds it, DEL ${this.#key} there`;
  }

  /** Somebody holds the lock who is not known to be master. */
  async look(holder: string): Promise<void> {
    const { lock, store, clock, logger } = this.#parts;
    if (holder !== this.#holder) {
      this.isOver();
      this.#holder = holder;
      this.#since = clock.monotonic();
      return;
    }
    if (this.#isStrange || clock.monotonic() - this.#since < STRANGE_AFTER_MS) return;
    if ((await store.findNode(holder)) !== null) return;
    const name = await lock.name();
    this.#key = name.slice(0, name.lastIndexOf("@"));
    this.#isStrange = true;
    const message = this.told;
    if (message !== null) logger.error({ key: this.#key }, message);
  }

  /** A node of this cluster holds it, or nobody. */
  isOver(): void {
    if (this.#isStrange)
      this.#parts.logger.info({ key: this.#key }, "the lock in Redis is no stranger's any more");
    this.#holder = "";
    this.#isStrange = false;
  }
}
