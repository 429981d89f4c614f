/**
 * One mastership: everything that a master does in one epoch, from the moment that the epoch is
 * written until it is deposed, steps down or stops. Nothing of it is used again in the next one.
 */
import type { MasterStream, Network, StreamHandler } from "../coordination/network.ts";
import { sleep } from "../core/clock.ts";
import { ElasticJobError, isError } from "../core/errors.ts";
import type { JobSpec } from "../core/job.ts";
import { keepClusterTime } from "./cluster-clock.ts";
import { type ConnectedMaster, connectMaster } from "./connect-master.ts";
import type { MasterContext } from "./context.ts";
import { whyPrepared } from "./control/why-prepared.ts";
import type {
  AddedJob,
  AddItem,
  BeyondMemoryView,
  ClusterView,
  JobApi,
  JobView,
  KeyUse,
  PreparedNeed,
} from "./job-api.ts";

export class Mastership implements JobApi {
  private readonly context: MasterContext;
  private readonly parts: ConnectedMaster;

  constructor(context: MasterContext, network: Network) {
    this.context = context;
    this.parts = connectMaster(context, network);
  }

  /** Loads what it must know before it serves, then starts its loops. */
  async start(): Promise<void> {
    const { ids, classes, known, numbers, unheard, pages, sessions, sweep, retention, zoneChange } =
      this.parts;
    await ids.load();
    await classes.load();
    await known.load();
    const nodes = await this.context.store.readNodes();
    numbers.load(nodes);
    unheard.load(nodes);
    this.context.ended.addEventListener("abort", () => this.stop(), { once: true });
    for (const loop of [
      pages.run(),
      sessions.run(),
      sweep.run(),
      retention.run(),
      zoneChange.run(),
      known.run(),
      keepClusterTime(this.context),
    ]) {
      loop.catch((error: unknown) =>
        this.context.logger.error({ error }, "a loop of the master has stopped"),
      );
    }
  }

  /** Gives out no more jobs, and waits until those that are claimed are sent, at most `ms`. */
  async quiesce(ms: number): Promise<void> {
    const { scheduler, inFlight } = this.parts;
    scheduler.stop();
    const settled = new AbortController();
    void inFlight.settled().then(() => settled.abort());
    await sleep(this.context.clock, ms, settled.signal);
  }

  addJobs(
    items: readonly AddItem[],
    callKey: string | null,
    use: KeyUse = null,
  ): Promise<(AddedJob | ElasticJobError)[]> {
    return this.serve(async ({ intake, explain }) => {
      const outcomes = await intake.addJobs(items, callKey, use);
      return outcomes.map((outcome, index) => explain(outcome, items[index]));
    });
  }

  updateJob(jobId: number, revision: number | null, change: (spec: JobSpec) => JobSpec): Promise<JobView> {
    return this.serve(async ({ reader, control }) =>
      reader.view(await control.updateJob(jobId, revision, change)),
    );
  }

  deleteJob(jobId: number): Promise<void> {
    return this.serve(({ control }) => control.deleteJob(jobId));
  }

  pauseJob(jobId: number): Promise<JobView> {
    return this.serve(async ({ reader, control }) => reader.view(await control.act("pause", jobId)));
  }

  resumeJob(jobId: number): Promise<JobView> {
    return this.serve(async ({ reader, control }) => reader.view(await control.act("resume", jobId)));
  }

  cancelJob(jobId: number, scheduledAt: number | null): Promise<JobView> {
    return this.serve(async ({ reader, control }) =>
      reader.viewCancelled(await control.act("cancel", jobId, scheduledAt)),
    );
  }

  retryJob(jobId: number): Promise<JobView> {
    return this.serve(async ({ reader, control }) => reader.view(await control.act("retry", jobId)));
  }

  triggerJob(jobId: number, callKey: string | null): Promise<JobView> {
    return this.serve(async ({ reader, children }) => reader.view(await children.trigger(jobId, callKey)));
  }

  readJob(jobId: number): Promise<JobView> {
    return this.serve(({ reader }) => reader.readJob(jobId));
  }

  watchJob(jobId: number, signal: AbortSignal): AsyncIterable<JobView> {
    return this.parts.reader.watchJob(jobId, signal);
  }

  clusterTime(): number {
    return this.context.time.now();
  }

  whyPrepared(need: PreparedNeed): string {
    const { nodes, known } = this.parts;
    return whyPrepared(nodes.all(), need, known);
  }

  readCluster(): ClusterView {
    return this.parts.clusterReader.read();
  }

  readBeyondMemory(): Promise<BeyondMemoryView> {
    return this.parts.beyondMemory.read();
  }

  drainNode(nodeId: string): void {
    for (const session of this.parts.nodes.named(nodeId)) session.drain();
  }

  undrainNode(nodeId: string): void {
    for (const session of this.parts.nodes.named(nodeId)) session.undrain();
  }

  async sharesDatabase(incarnation: string): Promise<boolean> {
    return (await this.parts.numbers.find(incarnation)) !== null;
  }

  acceptNode(stream: MasterStream): StreamHandler {
    return this.parts.sessions.accept(stream);
  }

  private stop(): void {
    const { scheduler, sessions, ends } = this.parts;
    scheduler.stop();
    sessions.close();
    ends.close();
  }

  /** What every call has in common: it needs a mastership that is trusted, and may find that it is over. */
  private async serve<T>(call: (parts: ConnectedMaster) => Promise<T>): Promise<T> {
    if (this.context.ended.aborted || !this.context.trusted()) {
      throw new ElasticJobError("unavailable", "this node is not master at the moment; try again");
    }
    try {
      return await call(this.parts);
    } catch (error) {
      if (!isError(error, "stale_epoch")) throw error;
      this.context.deposed();
      throw new ElasticJobError("unavailable", "this node is no longer master; try again", { cause: error });
    }
  }
}
