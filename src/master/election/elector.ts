/**
 * Elects this process, keeps it elected, and says so: the authority on who is master is the epoch in
 * the database; the lock only decides who tries to advance it.
 *
 * - The epoch is read before the lock is tried, and advanced by compare-and-set after it was got; a
 *   mastership begins only with that write.
 * - Trust lasts until `attemptStarted + TTL - margin` of the last confirmed renewal, by the monotonic
 *   clock: a slow reply extends nothing (G8).
 * - A lock that was lost (Redis flushed, or out of reach for long) is taken anew only while the
 *   database still has our epoch and incarnation: then nobody was master in between, and the
 *   mastership goes on. Otherwise it is over.
 */
import type { MasterAddress } from "../../coordination/cluster-lock.ts";
import { sleep } from "../../core/clock.ts";
import type { Silence } from "../../core/readiness/silence.ts";
import { sampleDatabaseClock } from "../cluster-clock.ts";
import { AnnouncedMasters } from "./announced-masters.ts";
import { DeadMasters } from "./dead-masters.ts";
import type { ElectionParts } from "./election-parts.ts";
import { NeededServers } from "./needed-servers.ts";
import { OtherLock } from "./other-lock.ts";
import { OwnMastership } from "./own-mastership.ts";
import { OwnRole, type Role, type RoleNow } from "./role.ts";
import { StrangeHolder } from "./strange-holder.ts";
import { ZonePrecedence } from "./zone-precedence.ts";

export class Elector implements Role {
  private readonly parts: ElectionParts;
  private readonly role = new OwnRole();
  private turn = new AbortController();
  private readonly stopping = new AbortController();
  private loops: Promise<unknown> = Promise.resolve();
  private readonly deadMasters: DeadMasters;
  private readonly zones: ZonePrecedence;
  private readonly announced: AnnouncedMasters;
  private readonly otherLock: OtherLock;
  private readonly servers: NeededServers;
  private readonly mastership: OwnMastership;
  private readonly stranger: StrangeHolder;
  /** Of what the log tells that it keeps turns from being done; null: they are done. */
  private complaint: "refused" | "unanswered" | null = null;
  private hasResigned = false;

  constructor(parts: ElectionParts) {
    this.parts = parts;
    this.deadMasters = new DeadMasters(parts);
    this.zones = new ZonePrecedence(parts);
    this.announced = new AnnouncedMasters(parts);
    this.otherLock = new OtherLock(parts);
    this.servers = new NeededServers(parts);
    this.stranger = new StrangeHolder(parts);
    this.mastership = new OwnMastership(parts, {
      servers: this.servers,
      knownGone: this.deadMasters.known,
      steppedDown: () => {
        this.role.set({ kind: "none" });
        this.hurry();
      },
    });
  }

  now(): RoleNow {
    return this.role.now();
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.role.changed(signal);
  }

  start(): void {
    const unsubscribe = this.parts.lock.onMaster((master) => {
      if (master === null) this.hurry();
      // If that fails, the next turn reads who is master.
      else this.hear(master).catch(() => undefined);
    });
    // A follower's own database is in no add's way.
    const isNeeded = () => this.now().kind !== "follower";
    this.loops = Promise.all([
      this.run().finally(unsubscribe),
      this.servers.watch(isNeeded, this.stopping.signal),
    ]);
  }

  /** What keeps this process from answering adds, as master; null: nothing does. */
  silence(): Silence | null {
    return this.servers.silence(this.mastership.trustedUntil);
  }

  /** Who holds the lock, and is no node of this cluster, in words; null: no such. */
  get strangeHolder(): string | null {
    return this.stranger.told;
  }

  /** In a sentence. */
  whyNobodyIsMaster(): string {
    return this.servers.whyNobodyIsMaster();
  }

  /** Gives up the mastership for good, so that another takes over at once, and goes on as a follower. */
  async resign(): Promise<void> {
    this.hasResigned = true;
    await this.mastership.resign();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loops;
    await this.resign();
  }

  /** The stream to the master ended: look at once whether its process has, and try for its lock if so. */
  async masterIsGone(master: MasterAddress): Promise<void> {
    if (await this.deadMasters.look(master, this.stopping.signal)) this.hurry();
  }

  private get intervalMs(): number {
    return this.parts.settings.lockTtlMs / 6;
  }

  private hurry(): void {
    this.turn.abort();
  }

  private async run(): Promise<void> {
    const { clock, random } = this.parts;
    while (!this.stopping.signal.aborted) {
      this.turn = new AbortController();
      await this.tick();
      // Not all nodes at the same moment.
      const ms = this.intervalMs * (0.75 + random.next() / 2);
      await sleep(clock, ms, AbortSignal.any([this.turn.signal, this.stopping.signal]));
    }
  }

  /** One turn: renew the lock, or try to get it. */
  async tick(): Promise<void> {
    try {
      const { epoch } = this.mastership;
      if (epoch !== null) await this.keep(epoch);
      else await this.contend();
      this.turnIsDone();
    } catch (error) {
      // Redis or the database is out of reach. What holds meanwhile is decided by trust alone.
      this.complain(error);
    }
    this.updateRole();
  }

  private turnIsDone(): void {
    // A turn that asks for less than the one that was refused says nothing of that.
    if (this.complaint === null || this.parts.lock.silence().how === "refused") return;
    this.complaint = null;
    this.parts.logger.info({}, "the lock and the database answer again");
  }

  private complain(error: unknown): void {
    const complaint = this.parts.lock.silence().how === "refused" ? "refused" : "unanswered";
    if (complaint === this.complaint) return;
    this.complaint = complaint;
    this.parts.logger.warn(
      { error },
      complaint === "refused"
        ? "the lock (REDIS_URL) refuses this node; trying on"
        : "no answer from the lock (REDIS_URL) or the database (MYSQL_URL); trying on",
    );
  }

  /** As master. */
  private async keep(epoch: number): Promise<void> {
    const { lock, store, incarnation, clock } = this.parts;
    const attemptStarted = clock.monotonic();
    const isRenewed = await lock.renew(incarnation);
    if (!isRenewed && !(await lock.acquire(incarnation)))
      return this.mastership.stepDown("another process holds the lock");
    if (!isRenewed || attemptStarted >= this.mastership.trustedUntil) {
      // There was a time without the lock, or without trust: was anybody else elected in it?
      const current = await store.readMastership();
      if (current.epoch !== epoch || current.incarnation !== incarnation)
        return this.mastership.stepDown("another epoch has begun");
    }
    this.mastership.confirm(attemptStarted);
    const published = await lock.readMaster();
    if (published?.incarnation !== incarnation || published.epoch !== epoch)
      await this.mastership.publish(epoch);
  }

  /** As anyone else. */
  private async contend(): Promise<void> {
    const { lock, store, incarnation, clock, logger } = this.parts;
    const holder = await lock.holder();
    if (holder !== null && holder !== incarnation) {
      this.zones.lockIsHeld();
      const master = await lock.readMaster();
      if (master !== null && master.incarnation === holder) return this.hear(master);
      await this.stranger.look(holder);
      this.servers.vacancy = this.stranger.told ?? "the node that holds the lock has not announced itself";
      return;
    }
    this.stranger.isOver();
    this.servers.vacancy = "no node holds the lock";
    if (this.hasResigned) return;
    const [before, goesFirst] = await Promise.all([store.readMastership(), this.zones.mayTry()]);
    if (holder === null && !goesFirst) return;
    if (await this.otherLock.isUsed(before)) {
      this.servers.vacancy = "the database has a master that was elected by another lock";
      return;
    }
    const attemptStarted = clock.monotonic();
    if (holder === incarnation) await lock.release(incarnation);
    if (!(await lock.acquire(incarnation))) return;
    this.mastership.confirm(attemptStarted);
    const sample = await sampleDatabaseClock(store, clock);
    const epoch = Math.max(before.epoch + 1, sample.reading);
    const isElected = await store.advanceEpoch(before.epoch, { epoch, incarnation });
    if (!isElected || this.hasResigned || clock.monotonic() >= this.mastership.trustedUntil) {
      await lock.release(incarnation);
      return;
    }
    logger.info({ epoch }, "elected master");
    await this.mastership.begin(
      epoch,
      sample.reading + clock.monotonic() - (sample.sentAt + sample.receivedAt) / 2,
    );
  }

  /** What Redis says delays at most: it is followed only if this process's own database names the same master. */
  private async hear(master: MasterAddress): Promise<void> {
    if (master.incarnation === this.parts.incarnation || this.mastership.epoch !== null) return;
    const refusal = this.announced.refusalOf(master);
    if (refusal !== null) {
      this.servers.vacancy = refusal;
    } else if (!(await this.announced.isOurs(master))) {
      await this.stranger.look(master.incarnation);
      this.servers.vacancy =
        this.stranger.told ?? `the database does not name the master at ${master.address}, which Redis names`;
    } else {
      this.stranger.isOver();
      if (this.mastership.epoch === null) this.role.set({ kind: "follower", master });
    }
  }

  /**
   * This node and that master do not come together, for this reason: one of them has refused the other. The master may use
   * another database, though ours may name it, as a copy does.
   */
  refused(master: MasterAddress, reason: string): void {
    this.announced.refused(master, reason);
    this.servers.vacancy = reason;
    const now = this.role.now();
    if (now.kind === "follower" && now.master.incarnation === master.incarnation)
      this.role.set({ kind: "none" });
  }

  private updateRole(): void {
    const { role } = this.mastership;
    if (role !== null) this.role.set(role);
  }
}
