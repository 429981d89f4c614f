/**
 * A node's side of the cluster: one GetJob stream to whoever is master, for as long as both live.
 *
 * The node's lease counts from when it sent the ping that an answer echoes. When it has lapsed, the
 * master may give its jobs to others: so the node hands back what it runs, and closes the stream,
 * before that (G7). Claims outlive the stream: the next hello lists every one of them.
 */
import { assignmentsOf } from "../coordination/assignment.ts";
import type { MasterAddress } from "../coordination/cluster-lock.ts";
import type { Network } from "../coordination/network.ts";
import { silenceOf } from "../coordination/standing.ts";
import { type Clock, sleep } from "../core/clock.ts";
import { ClusterTime } from "../core/cluster-time.ts";
import { EndLog } from "../core/log/end-log.ts";
import type { Logger } from "../core/logger.ts";
import type { GetJobResponse, Pong, Welcome } from "../gen/elasticjob/v1/node_service_pb.ts";
import type { Executors } from "./executors.ts";
import { HeardMaster } from "./heard-master.ts";
import { letJobsEnd } from "./let-jobs-end.ts";
import { MasterConnection } from "./master-connection.ts";
import type { Masters } from "./masters.ts";
import { LOAD_EVERY_MS, NodeReport } from "./node-report.ts";
import type { NodeSettings } from "./node-settings.ts";
import { Lease } from "./own-lease.ts";
import type { Resources } from "./resources.ts";
import type { ResultWriter } from "./result-writer.ts";
import { Runner } from "./runner.ts";

export interface PullerParts {
  readonly settings: NodeSettings;
  readonly masters: Masters;
  /** Enters this process in its database, so that a master finds it there; returns the identity of that database's cluster. */
  readonly enter: () => Promise<string>;
  readonly network: Network;
  readonly executors: Executors;
  readonly resources: Resources;
  readonly writer: ResultWriter;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RECONNECT_MS = 50;
const ENTER_RETRY_MS = 500;
/** A hello that is not answered in this time goes to the next master there is. */
const WELCOME_TIMEOUT_MS = 5000;
export const PINGS_PER_LEASE = 5;
/** A claim that has waited at this node so long for a slot is handed back. */
const MAX_QUEUED_MS = 1000;
/** How long a node that leaves waits for the master to take in the end of its last claims. */
const FAREWELL_MS = 1000;

export class Puller {
  private readonly parts: PullerParts;
  /** What is known of the master. */
  readonly heard: HeardMaster;
  private readonly runner: Runner;
  private readonly report: NodeReport;
  private readonly ends: EndLog;
  private readonly stopping = new AbortController();
  private connection: MasterConnection | null = null;
  private highestEpoch = 0;
  private readonly lease: Lease;
  private time: ClusterTime;
  private hasTime = false;
  private isDraining = false;
  /** The identity of its database's cluster; null: this process is not entered there yet. */
  private cluster: string | null = null;
  private isLeaving = false;
  /** Of the draining that is under way. */
  private undrained = new AbortController();
  private loops: Promise<unknown> = Promise.resolve();

  constructor(parts: PullerParts) {
    this.parts = parts;
    this.heard = new HeardMaster(parts.clock);
    this.time = new ClusterTime(parts.clock, parts.clock.now());
    this.lease = new Lease(parts.clock, parts.settings.leaseMs);
    this.report = new NodeReport(parts, {
      connection: () => this.connection,
      queuedSlots: () => this.runner.queuedSlots,
      isDraining: () => this.isDraining,
    });
    const { executors, writer, clock, settings } = parts;
    const { slots, maxLost, nodeId } = settings;
    this.ends = new EndLog(parts);
    this.runner = new Runner(
      { executors, writer, clock, slots, maxLost, nodeId, ends: this.ends },
      {
        slotsFreed: (freed) => {
          if (this.connection !== null) this.connection.offeredSlots += freed;
          this.report.queue();
        },
        done: (claim) => this.report.done(claim),
        whyNotRun: () => this.whyNotRun(),
      },
    );
  }

  start(): void {
    this.loops = Promise.all([
      this.connect(),
      this.beat(),
      this.lease.guard(this.stopping.signal, () => this.lapsed()),
      this.reportLoad(),
    ]);
  }

  /** Takes no more jobs, lets running ones end, hands the rest back, then has all of it written and told. */
  async leave(): Promise<void> {
    const { clock, writer, settings } = this.parts;
    this.isLeaving = true;
    await this.drain();
    await writer.stop(settings.drainGraceMs);
    const acknowledged = new AbortController();
    void this.runner.whenForgotten().then(() => acknowledged.abort());
    await sleep(clock, FAREWELL_MS, acknowledged.signal);
  }

  private async drain(): Promise<void> {
    this.isDraining = true;
    this.undrained = new AbortController();
    const { runner, parts, undrained } = this;
    const graceMs = parts.settings.drainGraceMs;
    const ended = letJobsEnd(runner, { ...parts, graceMs, undrained: undrained.signal });
    this.report.queue();
    await ended;
  }

  /** Takes jobs again, unless it is about to stop. */
  private undrain(): void {
    if (!this.isDraining || this.isLeaving) return;
    this.isDraining = false;
    this.undrained.abort();
    this.parts.logger.info({}, "taking jobs again");
    this.report.queue();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.connection?.close();
    this.connection = null;
    await this.loops;
    this.ends.close();
  }

  /** Keeps a stream to whoever is master. */
  private async connect(): Promise<void> {
    const { masters, clock } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      if (!(await this.hasEntered())) continue;
      const master = masters.current();
      if (master === null) {
        await masters.changed(signal);
        continue;
      }
      await this.useStream(master);
      if (signal.aborted) return;
      masters.lost(master);
      await sleep(clock, RECONNECT_MS, signal);
    }
  }

  /** False: the database does not answer; a node that can write no results joins nobody. */
  private async hasEntered(): Promise<boolean> {
    try {
      this.cluster ??= await this.parts.enter();
      return true;
    } catch (error) {
      this.parts.logger.warn({ error }, "could not enter this node in the database; trying again");
      await sleep(this.parts.clock, ENTER_RETRY_MS, this.stopping.signal);
      return false;
    }
  }

  /** Opens a stream, and returns when it has ended or another process is master. */
  private async useStream(master: MasterAddress): Promise<void> {
    const { network, masters, clock, logger } = this.parts;
    const closed = new AbortController();
    this.heard.turnTo(master);
    const stream = network.openStream(master.address, {
      message: (message) => {
        if (!closed.signal.aborted) this.receive(connection, message);
      },
      closed: (reason) => {
        if (!closed.signal.aborted)
          logger.debug({ master: master.nodeId, reason }, "stream to the master ended");
        closed.abort();
      },
    });
    const offeredSlots = this.parts.settings.slots - this.runner.usedSlots;
    const connection = new MasterConnection(stream, master, clock.monotonic(), offeredSlots);
    this.connection = connection;
    this.sayHello(connection);
    const stopWaiting = clock.after(WELCOME_TIMEOUT_MS, () => {
      if (connection.nodeNumber === 0) closed.abort();
    });
    while (!closed.signal.aborted && !this.stopping.signal.aborted) {
      await masters.changed(AbortSignal.any([closed.signal, this.stopping.signal]));
      const current = masters.current();
      // The lock may be lost and won again by the same process: a new epoch needs a new hello.
      if (current !== null && (current.incarnation !== master.incarnation || current.epoch !== master.epoch))
        break;
    }
    closed.abort();
    stopWaiting();
    connection.close();
    if (this.connection === connection) this.connection = null;
  }

  private sayHello(connection: MasterConnection): void {
    const { settings, executors, resources } = this.parts;
    const { incarnation, nodeId, slots, labels, zoneData } = settings;
    this.report.helloSaid();
    connection.hello({
      incarnation,
      nodeId,
      address: settings.address(),
      slots,
      memoryMb: resources.memoryMb,
      labels: { ...labels },
      handlers: [...executors.handlers],
      runJob: executors.hasRunJob,
      claims: this.runner.claims(),
      timeZoneData: zoneData,
      clusterIdentity: this.cluster ?? "",
    });
  }

  /** Why a claim that comes now is handed back unrun; null: it is not. */
  private whyNotRun(): string | null {
    if (this.isDraining) return "its node is draining";
    // A process that was stopped wakes to what it was sent before: others may have been given it since.
    return this.lease.holds ? null : "its node lost touch with the master";
  }

  private receive(connection: MasterConnection, { message }: GetJobResponse): void {
    this.heard.heard();
    switch (message.case) {
      case "welcome":
        return this.welcomed(connection, message.value);
      case "pong":
        return this.ponged(message.value);
      case "assign": {
        const refusal = this.whyNotRun();
        const { epoch, nodeNumber } = connection;
        const giver = { epoch, nodeNumber, time: this.time };
        for (const assignment of assignmentsOf(message.value)) this.runner.start(assignment, giver, refusal);
        return;
      }
      case "verdicts":
        return this.runner.judge(message.value.claims);
      case "doneAck":
        return this.runner.acknowledged(connection.acknowledged(message.value.sequence));
      case "refusal":
        // A database that was restored may have lost this process's row: it is entered anew before the next try.
        this.cluster = null;
        this.parts.masters.refused(connection.master, message.value.reason);
        return connection.close();
      case "drain":
        if (!this.isDraining) void this.drain();
        return;
      case "undrain":
        return this.undrain();
      case "standing":
        return this.heard.standing(silenceOf(message.value));
      default:
        return;
    }
  }

  private welcomed(connection: MasterConnection, { epoch, nodeNumber, clusterTimeMs }: Welcome): void {
    if (epoch < this.highestEpoch) {
      this.parts.logger.warn({ epoch, highestEpoch: this.highestEpoch }, "refusing a deposed master");
      connection.close();
      return;
    }
    this.highestEpoch = epoch;
    connection.nodeNumber = nodeNumber;
    this.heard.standing(null);
    connection.epoch = epoch;
    this.lease.confirm(connection.openedAt);
    if (!this.hasTime) this.time = new ClusterTime(this.parts.clock, clusterTimeMs);
    this.hasTime = true;
    this.parts.logger.info({ master: connection.master.nodeId, epoch }, "joined the cluster");
    this.report.queue();
  }

  private ponged({ sentAtMs, clusterTimeMs }: Pong): void {
    this.lease.confirm(sentAtMs);
    if (this.hasTime) this.time.adjust(clusterTimeMs, sentAtMs, this.parts.clock.monotonic());
  }

  private async beat(): Promise<void> {
    const { clock, settings } = this.parts;
    while (!this.stopping.signal.aborted) {
      this.connection?.ping(clock.monotonic());
      await sleep(clock, settings.leaseMs / PINGS_PER_LEASE, this.stopping.signal);
    }
  }

  private lapsed(): void {
    const slots = this.runner.usedSlots;
    this.parts.logger.warn({ slots }, "no word from a master for a lease: handing back what runs");
    this.connection?.close();
    this.runner.handBack("its node lost touch with the master");
  }

  private async reportLoad(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await sleep(this.parts.clock, LOAD_EVERY_MS, this.stopping.signal);
      this.runner.returnStranded(MAX_QUEUED_MS);
      this.report.queue();
    }
  }
}
