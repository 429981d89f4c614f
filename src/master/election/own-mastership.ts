/**
 * The mastership of this process while it has one, and until when it is trusted (G8): it begins once its epoch is
 * written, is published, and ends when this process steps down. Whether it may begin and go on is for the elector to
 * find out.
 */
import { ClusterTime } from "../../core/cluster-time.ts";
import { trustUntil } from "../../core/lease.ts";
import { Mastership } from "../mastership.ts";
import type { ElectionParts } from "./election-parts.ts";
import type { NeededServers } from "./needed-servers.ts";
import type { RoleNow } from "./role.ts";

/**
 * How long a master that resigns waits for its writes in flight; nothing is given out meanwhile. What is claimed
 * and not sent by then, its node denies to the next master, who ends it as LOST at once.
 */
const QUIESCE_MS = 250;

export class OwnMastership {
  private readonly parts: ElectionParts;
  private readonly around: {
    readonly servers: NeededServers;
    /** Incarnations whose process is known to have ended. */
    readonly knownGone: ReadonlySet<string>;
    readonly steppedDown: () => void;
  };
  private present: {
    readonly api: Mastership;
    readonly epoch: number;
    readonly end: AbortController;
  } | null = null;
  private trustEnd = Number.NEGATIVE_INFINITY;
  /** By which it is elected, as the database has it. */
  private announcedLock = "";

  constructor(parts: ElectionParts, around: OwnMastership["around"]) {
    this.parts = parts;
    this.around = around;
  }

  /** Null: there is none. */
  get epoch(): number | null {
    return this.present?.epoch ?? null;
  }

  /** Null: there is none. */
  get role(): RoleNow | null {
    if (this.present === null) return null;
    const { api, epoch } = this.present;
    return { kind: "master", api, epoch };
  }

  /** Monotonic. */
  get trustedUntil(): number {
    return this.trustEnd;
  }

  /** The lock is ours by a try that was begun then (monotonic). */
  confirm(attemptStarted: number): void {
    this.trustEnd = trustUntil(attemptStarted, this.parts.settings.lockTtlMs);
  }

  async begin(epoch: number, clusterTime: number): Promise<void> {
    const { store, clock, random, logger, settings, network, lock, incarnation } = this.parts;
    const { servers, knownGone } = this.around;
    const end = new AbortController();
    const api = new Mastership(
      {
        epoch,
        store,
        settings,
        clock,
        random,
        time: new ClusterTime(clock, clusterTime),
        logger,
        ended: end.signal,
        epochWrittenAt: clock.monotonic(),
        knownGone,
        trusted: () => clock.monotonic() < this.trustEnd,
        silence: () => servers.silence(this.trustEnd),
        deposed: () => this.stepDown("another epoch has begun"),
      },
      network,
    );
    this.present = { api, epoch, end };
    servers.vacancy = "this node has been elected, and is about to begin";
    try {
      // Before it loads, which may take a while: who comes with another lock meanwhile is to find it.
      await this.announce(epoch, await lock.name());
      await api.start();
      await this.publish(epoch);
    } catch (error) {
      this.stepDown("could not load");
      await lock.release(incarnation).catch(() => false);
      throw error;
    }
  }

  /** In the database. */
  private async announce(epoch: number, lockKey: string): Promise<void> {
    const { store, address } = this.parts;
    await store.announceReign(epoch, { address: address(), lockKey });
    this.announcedLock = lockKey;
  }

  async publish(epoch: number): Promise<void> {
    const { lock, store, address, nodeId, incarnation } = this.parts;
    // The lock's server may have lost what it knew, and then has another name.
    const lockKey = await lock.name();
    if (lockKey !== this.announcedLock) await this.announce(epoch, lockKey);
    const { identity: cluster } = await store.readCluster();
    if (!(await lock.publishMaster({ address: address(), nodeId, incarnation, epoch, cluster })))
      this.stepDown("the lock was lost");
  }

  stepDown(reason: string): void {
    const ending = this.present;
    if (ending === null) return;
    this.present = null;
    this.around.servers.vacancy = `this node is no longer master: ${reason}`;
    this.trustEnd = Number.NEGATIVE_INFINITY;
    this.parts.logger.warn({ epoch: ending.epoch, reason }, "no longer master");
    ending.end.abort();
    this.around.steppedDown();
  }

  /** Steps down of its own accord, and gives up the lock, so that another takes over at once. */
  async resign(): Promise<void> {
    if (this.present === null) return;
    await this.present.api.quiesce(QUIESCE_MS);
    this.stepDown("stopping");
    await this.parts.lock.release(this.parts.incarnation).catch(() => false);
  }
}
