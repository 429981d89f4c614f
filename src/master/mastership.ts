/**
 * One mastership: everything that a master does in one epoch, from the moment that the epoch is
 * written until it is deposed, steps down or stops. Nothing of it is used again in the next one.
 */
import type { MasterStream, Network, StreamHandler } from "../coordination/network.ts";
import type { Due } from "../core/calendar/next-due.ts";
import { sleep } from "../core/clock.ts";
import { ElasticJobError, isError } from "../core/errors.ts";
import type { JobRecord, JobSpec } from "../core/job.ts";
import { Queues } from "../core/queues/queues.ts";
import { BornClaimed } from "./adding/born-claimed.ts";
import { Children } from "./adding/children.ts";
import { handlerRefusal } from "./adding/handler-refusal.ts";
import { IdBlocks } from "./adding/id-blocks.ts";
import { Intake } from "./adding/intake.ts";
import { JobInserter } from "./adding/job-inserter.ts";
import { KeyReader } from "./adding/key-reader.ts";
import { keepClusterTime } from "./cluster-clock.ts";
import type { MasterContext } from "./context.ts";
import { Control } from "./control/control.ts";
import { JobReader } from "./control/job-reader.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { Scheduler } from "./dispatch/scheduler.ts";
import { Endings } from "./ending/endings.ts";
import { RetentionLoop } from "./ending/retention-loop.ts";
import { Sweep } from "./ending/sweep.ts";
import type { AddedJob, AddItem, ClusterView, JobApi, JobView, KeyPart } from "./job-api.ts";
import { ChangedJobs } from "./memory/changed-jobs.ts";
import { ClassRegistry } from "./memory/class-registry.ts";
import { InFlight } from "./memory/in-flight.ts";
import { JobMemory } from "./memory/job-memory.ts";
import { Pages } from "./memory/pages.ts";
import { ConnectedNodes } from "./nodes/connected-nodes.ts";
import type { NodeSession } from "./nodes/node-session.ts";
import { NodeSessions } from "./nodes/node-sessions.ts";

export class Mastership implements JobApi {
  private readonly context: MasterContext;
  private readonly queues = new Queues();
  private readonly inFlight = new InFlight();
  private readonly changedJobs = new ChangedJobs();
  private readonly classes: ClassRegistry;
  private readonly pages: Pages;
  private readonly nodes = new ConnectedNodes();
  private readonly sessions: NodeSessions;
  private readonly scheduler: Scheduler;
  private readonly intake: Intake;
  private readonly control: Control;
  private readonly children: Children;
  private readonly reader: JobReader;
  private readonly sweep: Sweep;
  private readonly retention: RetentionLoop;

  constructor(context: MasterContext, network: Network) {
    this.context = context;
    const { queues, inFlight, changedJobs, nodes } = this;
    const wake = () => this.scheduler.wake();
    this.classes = new ClassRegistry(context, (jobClass) => {
      this.pages.addEmptyClass(jobClass.id);
      this.nodes.classAdded(jobClass);
    });
    const { classes } = this;
    const found = (record: JobRecord) => this.sessions.found(record);
    this.pages = new Pages(context, queues, { found, loaded: wake });
    const memory = new JobMemory(queues, this.pages, changedJobs, wake);
    const endings = new Endings(context, { memory, inFlight, found });
    this.sessions = new NodeSessions(
      context,
      { nodes, network, memory, inFlight, endings, classes },
      {
        changed: () => {
          this.pages.setPresent(nodes.presentClasses());
          wake();
        },
        roomMade: wake,
      },
    );
    const { sessions } = this;
    const spawn = (parent: JobRecord, next: Due | null) => this.children.spawn(parent, next);
    const skip: Children["skip"] = (record, decision) => this.children.skip(record, decision);
    const dispatcher = new Dispatcher(
      context,
      { memory, inFlight, nodes, found, endings, spawn, skip },
      () => {
        this.pages.kick();
        wake();
      },
    );
    this.scheduler = new Scheduler(context, memory, dispatcher);
    const bornClaimed = new BornClaimed(context, { memory, nodes, endings });
    const refusal = handlerRefusal(context, nodes);
    const ids = new IdBlocks(context);
    const keys = new KeyReader(context);
    const inserter = new JobInserter(context, { classes, memory, endings, bornClaimed });
    this.intake = new Intake(context, { memory, ids, keys, inserter, refusal });
    this.children = new Children(context, { memory, ids, keys, inserter, endings });
    const { children } = this;
    this.control = new Control(context, { memory, inFlight, classes, sessions, endings, children, refusal });
    this.reader = new JobReader(context, { classes, nodes, changedJobs });
    const isSpokenFor = (record: JobRecord) => this.sessions.isSpokenFor(record);
    this.sweep = new Sweep(context, {
      classes,
      pages: this.pages,
      queues,
      memory,
      inFlight,
      found,
      isSpokenFor,
    });
    this.retention = new RetentionLoop(context, { classes, inFlight });
  }

  /** Loads what it must know before it serves, then starts its loops. */
  async start(): Promise<void> {
    await this.classes.load();
    await this.sessions.load();
    this.context.ended.addEventListener("abort", () => this.stop(), { once: true });
    for (const loop of [
      this.pages.run(),
      this.sessions.run(),
      this.sweep.run(),
      this.retention.run(),
      keepClusterTime(this.context),
    ]) {
      loop.catch((error: unknown) =>
        this.context.logger.error({ error }, "a loop of the master has stopped"),
      );
    }
  }

  /** Gives out no more jobs, and waits until those that are claimed are sent, at most `ms`. */
  async quiesce(ms: number): Promise<void> {
    this.scheduler.stop();
    const settled = new AbortController();
    void this.inFlight.settled().then(() => settled.abort());
    await sleep(this.context.clock, ms, settled.signal);
  }

  addJobs(
    items: readonly AddItem[],
    callKey: string | null,
    part: KeyPart | null = null,
  ): Promise<(AddedJob | ElasticJobError)[]> {
    return this.serve(() => this.intake.addJobs(items, callKey, part));
  }

  updateJob(jobId: number, revision: number | null, change: (spec: JobSpec) => JobSpec): Promise<JobView> {
    return this.serve(async () => this.reader.view(await this.control.updateJob(jobId, revision, change)));
  }

  deleteJob(jobId: number): Promise<void> {
    return this.serve(() => this.control.deleteJob(jobId));
  }

  pauseJob(jobId: number): Promise<JobView> {
    return this.serve(async () => this.reader.view(await this.control.act("pause", jobId)));
  }

  resumeJob(jobId: number): Promise<JobView> {
    return this.serve(async () => this.reader.view(await this.control.act("resume", jobId)));
  }

  cancelJob(jobId: number, scheduledAt: number | null): Promise<JobView> {
    return this.serve(async () =>
      this.reader.viewCancelled(await this.control.act("cancel", jobId, scheduledAt)),
    );
  }

  retryJob(jobId: number): Promise<JobView> {
    return this.serve(async () => this.reader.view(await this.control.act("retry", jobId)));
  }

  triggerJob(jobId: number, callKey: string | null): Promise<JobView> {
    return this.serve(async () => this.reader.view(await this.children.trigger(jobId, callKey)));
  }

  readJob(jobId: number): Promise<JobView> {
    return this.serve(() => this.reader.readJob(jobId));
  }

  watchJob(jobId: number, signal: AbortSignal): AsyncIterable<JobView> {
    return this.reader.watchJob(jobId, signal);
  }

  clusterTime(): number {
    return this.context.time.now();
  }

  readCluster(): ClusterView {
    const nodes = this.nodes.all().map((session) => ({
      nodeId: session.nodeId,
      address: session.address,
      slots: session.slots,
      usedSlots: this.usedSlots(session),
      handlers: [...session.handlers].sort(),
      labels: session.labels,
      cpu: session.cpu,
      freeMemoryMb: session.freeMemoryMb,
      draining: session.draining,
    }));
    return { epoch: this.context.epoch, nodes, ...this.queues.counts() };
  }

  /** Not from its credit, which is for jobs that wait at the node too, and nothing while it drains. */
  private usedSlots({ slots, claims }: NodeSession): number {
    let used = 0;
    for (const jobId of claims.keys()) {
      // Most claims of short jobs only wait there: thousands, whose number does not matter.
      if (used >= slots) return slots;
      used += this.queues.get(jobId)?.record.spec.requirements.slots ?? 1;
    }
    return Math.min(slots, used);
  }

  drainNode(nodeId: string): void {
    for (const session of this.nodes.named(nodeId)) session.drain();
  }

  acceptNode(stream: MasterStream): StreamHandler {
    return this.sessions.accept(stream);
  }

  private stop(): void {
    this.scheduler.stop();
    this.sessions.close();
  }

  /** What every call has in common: it needs a mastership that is trusted, and may find that it is over. */
  private async serve<T>(call: () => Promise<T>): Promise<T> {
    if (this.context.ended.aborted || !this.context.trusted()) {
      throw new ElasticJobError("unavailable", "this node is not master at the moment; try again");
    }
    try {
      return await call();
    } catch (error) {
      if (!isError(error, "stale_epoch")) throw error;
      this.context.deposed();
      throw new ElasticJobError("unavailable", "this node is no longer master; try again", { cause: error });
    }
  }
}
