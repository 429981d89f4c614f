/**
 * One mastership: everything that a master does in one epoch, from the moment that the epoch is
 * written until it is deposed, steps down or stops. Nothing of it is used again in the next one.
 */
import type { MasterStream, Network, StreamHandler } from "../coordination/network.ts";
import type { Caller } from "../core/callers/caller.ts";
import { sleep } from "../core/clock.ts";
import { ElasticJobError, isError } from "../core/errors.ts";
import type { JobRecord, JobSpec } from "../core/job.ts";
import { EndLog } from "../core/log/end-log.ts";
import { Queues } from "../core/queues/queues.ts";
import { BornClaimed } from "./adding/born-claimed.ts";
import { Children } from "./adding/children.ts";
import { explainAdded } from "./adding/explain-added.ts";
import { handlerRefusal } from "./adding/handler-refusal.ts";
import { IdBlocks } from "./adding/id-blocks.ts";
import { Intake } from "./adding/intake.ts";
import { JobInserter } from "./adding/job-inserter.ts";
import { KeyReader } from "./adding/key-reader.ts";
import { AddedJobs } from "./audit/added-jobs.ts";
import { Changes } from "./audit/changes.ts";
import { keepClusterTime } from "./cluster-clock.ts";
import type { MasterContext } from "./context.ts";
import { BeyondMemory } from "./control/beyond-memory.ts";
import { ClusterReader } from "./control/cluster-reader.ts";
import { Control } from "./control/control.ts";
import { HandlerReader } from "./control/handler-reader.ts";
import { JobReader } from "./control/job-reader.ts";
import { JobPuts } from "./control/put-job.ts";
import { JobSets } from "./control/put-set.ts";
import { whyPrepared } from "./control/why-prepared.ts";
import { ZoneChange } from "./control/zone-change.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { Scheduler } from "./dispatch/scheduler.ts";
import { Endings } from "./ending/endings.ts";
import { FinalRows } from "./ending/final-rows.ts";
import { RetentionLoop } from "./ending/retention-loop.ts";
import { Sweep } from "./ending/sweep.ts";
import type {
  AddItem,
  AddOutcome,
  AuditedChange,
  BeyondMemoryView,
  ChangeTold,
  ClusterView,
  HandlerPage,
  JobApi,
  JobDescription,
  JobView,
  KeyUse,
  PreparedNeed,
  PutJob,
  PutSet,
  SetDescription,
} from "./job-api.ts";
import { ChangedJobs } from "./memory/changed-jobs.ts";
import { ClaimHolders } from "./memory/claim-holders.ts";
import { ClassRegistry } from "./memory/class-registry.ts";
import { InFlight } from "./memory/in-flight.ts";
import { JobMemory } from "./memory/job-memory.ts";
import { JobProgress } from "./memory/job-progress.ts";
import { Pages } from "./memory/pages.ts";
import { Turn } from "./memory/turn.ts";
import { AbsentNodes } from "./nodes/absent-nodes.ts";
import { ConnectedNodes } from "./nodes/connected-nodes.ts";
import { KnownHandlers } from "./nodes/known-handlers.ts";
import { KnownSchemas } from "./nodes/known-schemas.ts";
import { NodeClaims } from "./nodes/node-claims.ts";
import { NodeNumbers } from "./nodes/node-numbers.ts";
import { NodeSessions } from "./nodes/node-sessions.ts";
import { UnheardNodes } from "./nodes/unheard-nodes.ts";

export class Mastership implements JobApi {
  private readonly context: MasterContext;
  private readonly inFlight = new InFlight();
  private readonly nodes = new ConnectedNodes();
  private readonly ends: EndLog;
  private readonly ids: IdBlocks;
  private readonly numbers: NodeNumbers;
  private readonly unheard: UnheardNodes;
  private readonly known: KnownHandlers;
  private readonly classes: ClassRegistry;
  private readonly pages: Pages;
  private readonly sessions: NodeSessions;
  private readonly scheduler: Scheduler;
  private readonly intake: Intake;
  private readonly explain: ReturnType<typeof explainAdded>;
  private readonly control: Control;
  private readonly children: Children;
  private readonly puts: JobPuts;
  private readonly sets: JobSets;
  private readonly reader: JobReader;
  private readonly clusterReader: ClusterReader;
  private readonly handlerReader: HandlerReader;
  private readonly beyondMemory: BeyondMemory;
  private readonly sweep: Sweep;
  private readonly retention: RetentionLoop;
  private readonly zoneChange: ZoneChange;
  private readonly changes: Changes;
  private readonly added: AddedJobs;

  constructor(context: MasterContext, network: Network) {
    this.context = context;
    this.ends = new EndLog(context);
    this.changes = new Changes(context);
    this.added = new AddedJobs(context);
    const { inFlight, nodes } = this;
    // memory
    const queues = new Queues();
    const turn = new Turn(context.clock);
    const changedJobs = new ChangedJobs();
    const holders = new ClaimHolders(queues);
    const progress = new JobProgress({ holders, changedJobs });
    const pages = new Pages(context, { queues, holders, turn });
    const memory = new JobMemory({ queues, pages, changedJobs, turn });
    const classes = new ClassRegistry(context, (jobClass) => {
      pages.addEmptyClass(jobClass.id);
      nodes.classAdded(jobClass);
    });
    // ending
    const numbers = new NodeNumbers(context);
    const nodeIdOf = (number: number) => numbers.nodeIdOf(number);
    const finalRows = new FinalRows(context, { ends: this.ends, nodeIdOf });
    const endings = new Endings(context, { memory, inFlight, holders, finalRows });
    this.sweep = new Sweep(context, { classes, pages, queues, memory, inFlight, holders });
    // nodes
    const unheard = new UnheardNodes(context);
    const known = new KnownHandlers(context, nodes);
    const schemas = new KnownSchemas(context, nodes);
    const absent = new AbsentNodes(context, { network, numbers, holders, endings, unheard });
    const isRecovering = () => absent.areAwaited;
    const forgetHandlers = (before: number) => known.forget(before);
    this.retention = new RetentionLoop(context, { classes, inFlight, isRecovering, forgetHandlers });
    const claims = new NodeClaims(context, { holders, memory, inFlight, endings });
    const sessions = new NodeSessions(context, {
      network,
      connected: nodes,
      absent,
      numbers,
      claims,
      holders,
      memory,
      classes,
      pages,
      endings,
      turn,
      unheard,
      known,
      schemas,
      progress,
    });
    // adding
    const refusal = handlerRefusal(context, nodes, known);
    this.explain = explainAdded(nodes, known);
    const ids = new IdBlocks(context);
    const bornClaimed = new BornClaimed(context, { memory, nodes, holders, endings });
    const keys = new KeyReader(context);
    const inserter = new JobInserter(context, { classes, memory, endings, bornClaimed });
    this.intake = new Intake(context, { memory, ids, keys, inserter, refusal });
    this.children = new Children(context, { memory, ids, keys, inserter, endings });
    const { children } = this;
    // dispatch and control
    const dispatcher = new Dispatcher(context, {
      memory,
      inFlight,
      holders,
      nodes,
      endings,
      children,
      pages,
      turn,
    });
    this.scheduler = new Scheduler(context, { queues, dispatcher, turn });
    this.control = new Control(context, {
      memory,
      inFlight,
      holders,
      classes,
      sessions,
      endings,
      children,
      finalRows,
      refusal,
    });
    const { control, intake } = this;
    this.puts = new JobPuts({
      find: (key) => intake.findKeyed(key),
      add: async (item) => {
        const [outcome] = await intake.addJobs([item], null);
        if (outcome === undefined) throw new Error("the intake gave no outcome");
        return this.explain(outcome, item);
      },
      update: (jobId, change) => control.updateJob(jobId, null, change),
    });
    this.sets = new JobSets(context, {
      find: (key) => intake.findKeyed(key),
      put: (described) => this.putOne(described),
      remove: async (jobId) => void (await control.deleteJob(jobId)),
    });
    this.zoneChange = new ZoneChange(context, this.control);
    this.reader = new JobReader(context, { nodes, known, changedJobs, progress });
    this.clusterReader = new ClusterReader(context, { queues, nodes, holders });
    this.handlerReader = new HandlerReader(context, { nodes, known, schemas });
    this.beyondMemory = new BeyondMemory(context, { classes, pages });
    this.ids = ids;
    this.pages = pages;
    this.classes = classes;
    this.known = known;
    this.numbers = numbers;
    this.unheard = unheard;
    this.sessions = sessions;
  }

  /** Loads what it must know before it serves, then starts its loops. */
  async start(): Promise<void> {
    await this.ids.load();
    await this.classes.load();
    await this.known.load();
    const nodes = await this.context.store.readNodes();
    this.numbers.load(nodes);
    this.unheard.load(nodes);
    this.context.ended.addEventListener("abort", () => this.stop(), { once: true });
    for (const loop of [
      this.pages.run(),
      this.sessions.run(),
      this.sweep.run(),
      this.retention.run(),
      this.zoneChange.run(),
      this.known.run(),
      keepClusterTime(this.context),
    ]) {
      loop.catch((error: unknown) =>
        this.context.logger.error({ error }, "a loop of the master has stopped"),
      );
    }
  }

  /** Gives out no more jobs, and waits until those that are claimed are sent, and what callers added is noted, at most `ms`. */
  async quiesce(ms: number): Promise<void> {
    this.scheduler.stop();
    const settled = new AbortController();
    void Promise.all([this.inFlight.settled(), this.added.flush()]).then(() => settled.abort());
    await sleep(this.context.clock, ms, settled.signal);
  }

  addJobs(items: readonly AddItem[], callKey: string | null, use: KeyUse = null): Promise<AddOutcome[]> {
    return this.serve(async () => {
      const outcomes = await this.intake.addJobs(items, callKey, use);
      return outcomes.map((outcome, index) => this.explain(outcome, items[index]));
    });
  }

  updateJob(jobId: number, revision: number | null, change: (spec: JobSpec) => JobSpec): Promise<JobView> {
    return this.serve(async () => this.reader.view(await this.control.updateJob(jobId, revision, change)));
  }

  putJob(described: JobDescription): Promise<PutJob> {
    return this.serve(() => this.putOne(described));
  }

  putSet(described: SetDescription): Promise<PutSet> {
    return this.serve(() => this.sets.put(described));
  }

  private async putOne(described: JobDescription): Promise<PutJob> {
    const put = await this.puts.put(described);
    return put.kind === "created" ? put : { kind: put.kind, view: await this.reader.view(put.record) };
  }

  deleteJob(jobId: number): Promise<JobRecord> {
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

  audited<T>(
    change: AuditedChange,
    make: () => Promise<T> | T,
    tell: (result: T) => ChangeTold = () => ({}),
  ): Promise<T> {
    return this.serve(() => this.changes.make(change, make, tell));
  }

  noteAdded(caller: Caller, items: readonly AddItem[], outcomes: readonly AddOutcome[]): void {
    this.added.note(caller, items, outcomes);
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

  whyPrepared(need: PreparedNeed): string {
    return whyPrepared(this.nodes.all(), need, this.known);
  }

  readCluster(): ClusterView {
    return this.clusterReader.read();
  }

  readHandlers(after: string, limit: number): HandlerPage {
    return this.handlerReader.read(after, limit);
  }

  readBeyondMemory(): Promise<BeyondMemoryView> {
    return this.beyondMemory.read();
  }

  drainNode(nodeId: string): void {
    for (const session of this.nodes.named(nodeId)) session.drain();
  }

  undrainNode(nodeId: string): void {
    for (const session of this.nodes.named(nodeId)) session.undrain();
  }

  async sharesDatabase(incarnation: string): Promise<boolean> {
    return (await this.numbers.find(incarnation)) !== null;
  }

  acceptNode(stream: MasterStream): StreamHandler {
    return this.sessions.accept(stream);
  }

  private stop(): void {
    this.scheduler.stop();
    this.sessions.close();
    this.ends.close();
    void this.added.flush();
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
