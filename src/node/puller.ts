/**
 * A node's side of the cluster: one GetJob stream to whoever is master, for as long as both live.
 *
 * The node's lease counts from when it sent the ping that an answer echoes. When it has lapsed, the
 * master may give its jobs to others: so the node hands back what it runs, and closes the stream,
 * before that (G7). Claims outlive the stream: the next hello lists every one of them.
 */
import { assignmentsOf } from "../coordination/assignment.ts";
import type { Network } from "../coordination/network.ts";
import { silenceOf } from "../coordination/standing.ts";
import { type Clock, sleep } from "../core/clock.ts";
import { ClusterTime } from "../core/cluster-time.ts";
import { EndLog } from "../core/log/end-log.ts";
import type { Logger } from "../core/logger.ts";
import type { GetJobResponse, Pong, Welcome } from "../gen/elasticjob/v1/node_service_pb.ts";
import { Draining } from "./draining.ts";
import type { Executors } from "./executors.ts";
import { HeardMaster } from "./heard-master.ts";
import type { JobLogs } from "./log/job-logs.ts";
import { ProgressReport } from "./log/progress-report.ts";
import type { MasterConnection } from "./master-connection.ts";
import type { Masters } from "./masters.ts";
import { LOAD_EVERY_MS, NodeReport } from "./node-report.ts";
import { Lease } from "./own-lease.ts";
import type { PullerSettings } from "./puller-settings.ts";
import type { Resources } from "./resources.ts";
import type { ResultWriter } from "./result-writer.ts";
import { Runner } from "./runner.ts";
import { schemasDigest } from "./schemas-digest.ts";
import { StreamToMaster } from "./stream-to-master.ts";

export interface PullerParts {
  readonly settings: PullerSettings;
  readonly masters: Masters;
  /** Enters this process in its database, so that a master finds it there; returns the identity of that database's cluster. */
  readonly enter: () => Promise<string>;
  readonly network: Network;
  readonly executors: Executors;
  readonly resources: Resources;
  readonly writer: ResultWriter;
  readonly logs: JobLogs;
  readonly clock: Clock;
  readonly logger: Logger;
}

export const PINGS_PER_LEASE = 5;
/** A claim that has waited at this node so long for a slot is handed back. */
const MAX_QUEUED_MS = 1000;

export class Puller {
  private readonly parts: PullerParts;
  /** What is known of the master. */
  readonly heard: HeardMaster;
  private readonly runner: Runner;
  private readonly report: NodeReport;
  private readonly progress: ProgressReport;
  private readonly ends: EndLog;
  private readonly stopping = new AbortController();
  private readonly stream: StreamToMaster;
  private readonly draining: Draining;
  private highestEpoch = 0;
  private readonly lease: Lease;
  private time: ClusterTime;
  private hasTime = false;
  private loops: Promise<unknown> = Promise.resolve();

  constructor(parts: PullerParts) {
    this.parts = parts;
    this.heard = new HeardMaster(parts.clock);
    this.time = new ClusterTime(parts.clock, parts.clock.now());
    this.lease = new Lease(parts.clock, parts.settings.leaseMs);
    this.report = new NodeReport(parts, {
      connection: () => this.stream.current,
      queuedSlots: () => this.runner.queuedSlots,
      isDraining: () => this.draining.isUnderWay,
    });
    this.progress = new ProgressReport(parts.clock, (all) => {
      const connection = this.stream.current;
      // Before its welcome it would be told twice, and may not be this one's master.
      if (connection !== null && connection.nodeNumber !== 0) connection.progress(all);
    });
    const { executors, writer, logs, clock, settings } = parts;
    const { slots, maxLost, nodeId, drainGraceMs: graceMs } = settings;
    this.ends = new EndLog(parts);
    this.runner = new Runner(
      { executors, writer, logs, clock, slots, maxLost, nodeId, ends: this.ends },
      {
        slotsFreed: (freed) => {
          const connection = this.stream.current;
          if (connection !== null) connection.offeredSlots += freed;
          this.report.queue();
        },
        done: (claim) => this.report.done(claim),
        progressed: (progress) => this.progress.tell(progress),
        whyNotRun: () => this.whyNotRun(),
      },
    );
    const { runner, report, heard } = this;
    this.draining = new Draining({ ...parts, runner, report, graceMs });
    this.stream = new StreamToMaster(
      { ...parts, heard },
      {
        freeSlots: () => slots - runner.usedSlots,
        opened: (connection) => this.sayHello(connection),
        message: (connection, message) => this.receive(connection, message),
      },
    );
  }

  start(): void {
    this.loops = Promise.all([
      this.stream.keep(this.stopping.signal),
      this.beat(),
      this.lease.guard(this.stopping.signal, () => this.lapsed()),
      this.reportLoad(),
    ]);
  }

  /** What this node offers has changed: it says so with a hello, on a new stream. What runs goes on. */
  offerAnew(): void {
    this.stream.close();
  }

  /** Takes no more jobs, and returns when those that it has are over, and told. */
  leave(): Promise<void> {
    return this.draining.leave();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.stream.close();
    await this.loops;
    this.parts.logs.stop();
    this.ends.close();
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
      clusterIdentity: this.stream.clusterIdentity,
      schemasDigest: schemasDigest(executors.schemas),
    });
  }

  /** Why a claim that comes now is handed back unrun; null: it is not. */
  private whyNotRun(): string | null {
    if (this.draining.isUnderWay) return "its node is draining";
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
        return this.stream.refused(connection, message.value.reason);
      case "drain":
        return this.draining.begin();
      case "undrain":
        return this.draining.undrain();
      case "standing":
        return this.heard.standing(silenceOf(message.value));
      case "schemasWanted":
        return connection.schemas(this.parts.executors.schemas);
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
    for (const progress of this.runner.allProgress()) this.progress.tell(progress);
  }

  private ponged({ sentAtMs, clusterTimeMs }: Pong): void {
    this.lease.confirm(sentAtMs);
    if (this.hasTime) this.time.adjust(clusterTimeMs, sentAtMs, this.parts.clock.monotonic());
  }

  private async beat(): Promise<void> {
    const { clock, settings } = this.parts;
    while (!this.stopping.signal.aborted) {
      this.stream.current?.ping(clock.monotonic());
      await sleep(clock, settings.leaseMs / PINGS_PER_LEASE, this.stopping.signal);
    }
  }

  private lapsed(): void {
    const slots = this.runner.usedSlots;
    this.parts.logger.warn({ slots }, "no word from a master for a lease: handing back what runs");
    this.stream.current?.close();
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
