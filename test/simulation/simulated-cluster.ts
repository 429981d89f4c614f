/** A whole cluster in one test process: nodes, network, lock and database, all of it decided by one seed. */

import { isRecurring } from "../../src/core/calendar/schedule.ts";
import { ElasticJobError, isError } from "../../src/core/errors.ts";
import {
  hasEnded,
  type JobRecord,
  type JobSpec,
  NO_BOUNDS,
  type ResultRecord,
  type Schedule,
  STORED_STATUS,
} from "../../src/core/job.ts";
import type { Logger } from "../../src/core/logger.ts";
import type { AddedJob, JobApi, JobView } from "../../src/master/job-api.ts";
import type { JobStore } from "../../src/store/job-store.ts";
import { openSqliteStore } from "../../src/store/open.ts";
import { SeededRandom } from "../../src/testing/seeded-random.ts";
import { LockServer } from "../../src/testing/shared-lock.ts";
import { sharedStore } from "../../src/testing/shared-store.ts";
import { type Pace, SimulatedNode, USUAL_PACE } from "../../src/testing/simulated-node.ts";
import { Gate, VirtualTime } from "../../src/testing/virtual-clock.ts";
import { VirtualNetwork } from "../../src/testing/virtual-network.ts";
import { itemOf } from "../fixtures/add-items.ts";
import type { Span } from "../guarantees/facts.ts";
import { violations } from "./check.ts";
import type { Evidence, Execution, Freeze } from "./evidence.ts";
import { Server } from "./faulty-calls.ts";
import { type Behaviour, HANDLER, SimulatedExecutors } from "./simulated-executors.ts";

/** What a node logs that must never be. */
const ALARMS = [
  "memory had missed an overdue job",
  "nobody held a claim that ran",
  "a loop of the master has stopped",
  "could not go on placing jobs",
];
const CALL_LIMIT_MS = 3000;
const LOOK_EVERY_MS = 2000;
/** More than the master rests between two sweeps. */
const AFTER_REST_MS = 35_000;

/** What callers ask for. */
export type Asked = "delete" | "update" | "reschedule" | "pause" | "resume" | "cancel" | "retry" | "trigger";

export interface ClusterOptions {
  readonly seed: number;
  readonly slots?: number;
  readonly maxSkewMs?: number;
  /** Where the wall clock stands when the simulation begins. */
  readonly start?: number;
  /** For years of simulated time. */
  readonly pace?: Pace;
}

export class SimulatedCluster {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly database: Server;
  readonly redis: Server;
  readonly lock: LockServer;
  readonly nodes: SimulatedNode[] = [];
  /** Calls that are not answered yet. */
  pendingCalls = 0;
  /** Until then something is still to happen. */
  busyUntil = 0;
  /** Lines of all nodes, for a look at what happened. */
  readonly log: string[] = [];
  /** The store itself, with no fault in between. */
  readonly raw: JobStore;
  private readonly slots: number;
  private readonly pace: Pace;
  /** Rows are looked at all the time, and all that is logged is kept: too much for years. */
  private readonly isWatched: boolean;
  private readonly maxSkewMs: number;
  private readonly acknowledged = new Map<number, string>();
  private readonly deleted = new Set<number>();
  private readonly executions: Execution[] = [];
  private readonly freezes: Freeze[] = [];
  private readonly alarms: string[] = [];
  private readonly asked = new Map<number, Set<string>>();
  /** When jobs could not be given out; null: nobody keeps an eye on it. */
  outages: Span[] | null = null;
  private readonly seen = new Map<string, ResultRecord>();
  private callKeys = 0;

  private constructor(options: ClusterOptions) {
    this.seed = options.seed;
    this.time = new VirtualTime(options.start);
    this.pace = options.pace ?? USUAL_PACE;
    this.isWatched = options.pace === undefined;
    this.slots = options.slots ?? 8;
    this.maxSkewMs = options.maxSkewMs ?? 0;
    this.random = new SeededRandom(options.seed);
    const { time, random } = this;
    this.network = new VirtualNetwork(time, random.fork());
    this.database = new Server("database", time, random.fork());
    this.redis = new Server("redis", time, random.fork());
    this.lock = new LockServer({
      time,
      random: random.fork(),
      server: this.redis,
      ttlMs: this.pace.lockTtlMs,
    });
    const clock = {
      now: () => time.start + time.now,
      monotonic: () => time.now,
      after: (ms: number, callback: () => void) => time.after(ms, callback),
    };
    this.raw = openSqliteStore({ path: ":memory:", clock });
  }

  static async start(options: ClusterOptions & { readonly nodes: number }): Promise<SimulatedCluster> {
    const cluster = new SimulatedCluster(options);
    await cluster.raw.migrate();
    for (let index = 0; index < options.nodes; index++) cluster.startNode(`n${index}`);
    if (cluster.isWatched) cluster.look();
    return cluster;
  }

  /** A new process, at the address that its node id stands for. */
  startNode(nodeId: string, options: { readonly zoneData?: string } = {}): SimulatedNode {
    const address = `${nodeId}:7070`;
    const gate = new Gate();
    const { time, network, random, executions } = this;
    const node = new SimulatedNode({
      nodeId,
      address,
      slots: this.slots,
      skewMs: random.between(-this.maxSkewMs, this.maxSkewMs),
      pace: this.pace,
      time,
      gate,
      random: random.fork(),
      network,
      store: sharedStore(this.raw, this.database, address, gate),
      lock: this.lock.of(address, gate),
      logger: this.loggerOf(nodeId),
      executors: (clock) =>
        new SimulatedExecutors({
          clock,
          now: () => time.now,
          started: ({ jobId, claim, scheduledAt }) => {
            const entry: Execution = {
              jobId,
              claim,
              scheduledAt,
              nodeId,
              startedAt: time.now,
              endedAt: null,
              wasAbandoned: false,
            };
            executions.push(entry);
            return entry;
          },
        }),
      ...options,
    });
    const index = this.nodes.findIndex((other) => other.nodeId === nodeId);
    if (index < 0) this.nodes.push(node);
    else this.nodes[index] = node;
    node.start();
    return node;
  }

  /** The database's clock, in epoch milliseconds. */
  get now(): number {
    return Math.floor(this.time.start + this.time.now);
  }

  get alive(): SimulatedNode[] {
    return this.nodes.filter(({ gate }) => !gate.isDead);
  }

  /** Nodes that run, whatever they believe. */
  get awake(): SimulatedNode[] {
    return this.alive.filter(({ gate }) => !gate.isFrozen);
  }

  get master(): SimulatedNode | undefined {
    return this.awake.findLast(({ isMaster }) => isMaster);
  }

  get follower(): SimulatedNode | undefined {
    return this.awake.find((node) => !node.isMaster);
  }

  freeze(node: SimulatedNode, ms: number): void {
    if (node.gate.isFrozen || node.gate.isDead) return;
    this.busyUntil = Math.max(this.busyUntil, this.time.now + ms);
    const freeze: Freeze = { nodeId: node.nodeId, from: this.time.now, to: null };
    this.freezes.push(freeze);
    this.note(node.nodeId, `frozen for ${ms} ms`);
    node.gate.freeze();
    this.time.after(ms, () => {
      freeze.to = this.time.now;
      this.note(node.nodeId, "goes on");
      node.gate.thaw();
    });
  }

  crash(node: SimulatedNode, silently = false): void {
    this.note(node.nodeId, silently ? "machine gone" : "killed");
    node.crash(silently);
    for (const freeze of this.freezes) if (freeze.nodeId === node.nodeId) freeze.to ??= this.time.now;
  }

  /** Cuts one node off from the others, and from the lock; the database too if asked. */
  isolate(
    node: SimulatedNode,
    from: { readonly nodes?: boolean; readonly redis?: boolean; readonly database?: boolean },
  ): void {
    this.note(node.nodeId, `cut off from ${Object.keys(from).join(", ")}`);
    if (from.redis) this.redis.unreachable.add(node.address);
    if (from.database) this.database.unreachable.add(node.address);
    if (!from.nodes) return;
    for (const { address } of this.nodes) {
      if (address === node.address) continue;
      this.network.cut(address, node.address);
      this.network.cut(node.address, address);
    }
  }

  heal(): void {
    this.note("", "healed");
    this.network.heal();
    this.redis.unreachable.clear();
    this.database.unreachable.clear();
  }

  /** A process that is none of ours becomes master, and does nothing. Returns its epoch. */
  async electStranger(): Promise<number> {
    const { epoch } = await this.raw.readMastership();
    await this.raw.advanceEpoch(epoch, { epoch: epoch + 1, incarnation: "stranger" });
    return epoch + 1;
  }

  /** Adds a job as a client does: to whoever is master, again with the same key until it is answered. */
  add(schedule: Schedule, behaviour: Behaviour, more: Partial<JobSpec> = {}): void {
    const key = `call-${++this.callKeys}`;
    const spec: JobSpec = {
      // By it the checker tells one add from another.
      name: key,
      handler: HANDLER,
      payload: JSON.stringify(behaviour),
      schedule,
      misfire: "once",
      priority: 0,
      timeoutMs: null,
      retry: { maxAttempts: 0, initialBackoffMs: 500, maxBackoffMs: 5000, multiplier: 2 },
      requirements: { slots: 1, memoryMb: 0, labels: {} },
      idempotencyKey: null,
      bounds: NO_BOUNDS,
      jitterMs: 0,
      overlap: "wait",
      deadlineMs: null,
      keyLife: "kept",
      ...more,
    };
    void this.untilAnswered(async (api) => {
      const [added] = await api.addJobs([itemOf(spec)], key);
      // A schedule that has no occurrence within its bounds, as a rule.
      if (isError(added, "invalid_argument")) return null;
      if (added === undefined || added instanceof ElasticJobError) throw added ?? new Error("no answer");
      return added;
    }).then((added: AddedJob | null) => {
      if (added !== null) this.acknowledged.set(added.jobId, key);
    });
  }

  /** Has something done to a job that has been acknowledged: at random, or to this one. */
  control(action: Asked, to: number | null = null): number | null {
    const ids = [...this.acknowledged.keys()].filter((id) => !this.deleted.has(id));
    if (ids.length === 0) return null;
    const jobId = to ?? this.random.pick(ids);
    if (action === "delete") this.deleted.add(jobId);
    let asked = this.asked.get(jobId);
    if (asked === undefined) this.asked.set(jobId, (asked = new Set()));
    asked.add(action);
    this.note("", `${action} ${jobId}`);
    const key = `call-${++this.callKeys}`;
    void this.untilAnswered(async (api) => {
      try {
        const view = await this.call(api, action, jobId, key);
        if (view !== null && action === "trigger") this.acknowledged.set(view.record.id, key);
      } catch (error) {
        // Of a job that is gone, or has ended.
        const isRefused = isError(error, "not_found") || isError(error, "failed_precondition");
        if (!isRefused && !isError(error, "invalid_argument")) throw error;
      }
    });
    return jobId;
  }

  private async call(api: JobApi, action: Asked, jobId: number, key: string): Promise<JobView | null> {
    switch (action) {
      case "delete":
        await api.deleteJob(jobId);
        return null;
      case "update":
        return api.updateJob(jobId, null, (spec) => ({ ...spec, priority: spec.priority + 1 }));
      case "reschedule":
        return api.updateJob(jobId, null, (spec) => ({ ...spec, schedule: anotherTime(spec.schedule) }));
      case "pause":
        return api.pauseJob(jobId);
      case "resume":
        return api.resumeJob(jobId);
      case "cancel":
        return api.cancelJob(jobId, null);
      case "retry":
        return api.retryJob(jobId);
      case "trigger":
        return api.triggerJob(jobId, key);
    }
  }

  /** As a caller does, again and again until a master has answered. */
  ask<T>(call: (api: JobApi) => Promise<T>): Promise<T> {
    return this.untilAnswered(call);
  }

  private async untilAnswered<T>(call: (api: JobApi) => Promise<T>): Promise<T> {
    this.pendingCalls++;
    for (;;) {
      const now = this.master?.elector.now();
      const answer = now?.kind === "master" ? await this.withLimit(call(now.api)) : null;
      if (answer !== null) {
        this.pendingCalls--;
        return answer.value;
      }
      await new Promise<void>((resolve) => void this.time.after(100, resolve));
    }
  }

  private withLimit<T>(call: Promise<T>): Promise<{ readonly value: T } | null> {
    return new Promise((resolve) => {
      const cancel = this.time.after(CALL_LIMIT_MS, () => resolve(null));
      call.then(
        (value) => {
          cancel();
          resolve({ value });
        },
        () => {
          cancel();
          resolve(null);
        },
      );
    });
  }

  /** Runs until all is done that is to be done. Throws what was violated, with the seed. */
  async expectRest(limitMs = 180_000): Promise<Evidence> {
    await this.time.advance(Math.max(0, this.busyUntil - this.time.now));
    // The second time after a sweep, which would find what memory has missed.
    let isAtRest = await this.restWithin(limitMs);
    if (isAtRest) {
      await this.time.advance(AFTER_REST_MS);
      isAtRest = await this.restWithin(limitMs);
    }
    const evidence = await this.evidence();
    const found = violations(evidence);
    if (!isAtRest) found.push(`not at rest after ${limitMs} ms; ${this.pendingCalls} calls are not answered`);
    if (found.length > 0) {
      const lines = found.slice(0, 20).join("\n  ");
      const log = process.env["SIMULATION_LOG"] ? `\n${this.log.join("\n")}` : "";
      throw new Error(`SIMULATION_SEED=${this.seed}: ${found.length} violations\n  ${lines}${log}`);
    }
    await this.raw.close();
    return evidence;
  }

  private async restWithin(limitMs: number): Promise<boolean> {
    const end = this.time.now + limitMs;
    while (this.time.now < end) {
      await this.time.advance(250);
      if (this.pendingCalls === 0 && (await this.allJobs()).every((job) => this.isAtRest(job))) return true;
    }
    return false;
  }

  private isAtRest(job: JobRecord): boolean {
    if (job.status === STORED_STATUS.PAUSED) return true;
    if (isRecurring(job.spec.schedule) && !hasEnded(job))
      return job.status !== STORED_STATUS.RUNNING && job.at > this.now - 1000;
    return hasEnded(job);
  }

  async evidence(): Promise<Evidence> {
    return {
      jobs: await this.allJobs(),
      results: await this.allResults(),
      seenRows: [...this.seen.values()],
      acknowledged: this.acknowledged,
      deleted: this.deleted,
      executions: this.executions,
      freezes: this.freezes,
      alarms: this.alarms,
      asked: this.asked,
      outages: this.outages,
      start: this.time.start,
      now: this.now,
    };
  }

  private async allJobs(): Promise<JobRecord[]> {
    const jobs: JobRecord[] = [];
    let before: number | null = null;
    do {
      const page: Awaited<ReturnType<JobStore["listJobs"]>> = await this.raw.listJobs(
        {},
        { before, limit: 1000 },
      );
      jobs.push(...page.items);
      before = page.next;
    } while (before !== null);
    return jobs;
  }

  private async allResults(): Promise<ResultRecord[]> {
    const rows: ResultRecord[] = [];
    let before: Parameters<JobStore["listResults"]>[1]["before"] = null;
    do {
      const page: Awaited<ReturnType<JobStore["listResults"]>> = await this.raw.listResults(
        {},
        { before, limit: 1000 },
      );
      rows.push(...page.items);
      before = page.next;
    } while (before !== null);
    return rows;
  }

  /** Remembers each final row as it was when it was first seen. */
  private look(): void {
    this.time.after(LOOK_EVERY_MS, () => {
      void this.allResults().then((rows) => {
        for (const row of rows) {
          const key = `${row.jobId}/${row.claim}`;
          if (!row.late && !this.seen.has(key)) this.seen.set(key, row);
        }
      });
      this.look();
    });
  }

  private loggerOf(nodeId: string): Logger {
    const line = (level: string) => (fields: object, message: string) => {
      this.note(nodeId, `${level} ${message} ${describe(fields)}`);
      if (ALARMS.includes(message))
        this.alarms.push(`${nodeId} at ${this.time.now}: ${message} ${describe(fields)}`);
    };
    return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  }

  note(who: string, what: string): void {
    if (this.isWatched) this.log.push(`${this.time.now.toFixed(0).padStart(7)} ${who.padEnd(6)} ${what}`);
  }
}

/** A second later, each time. */
function anotherTime(schedule: Schedule): Schedule {
  if (schedule.kind !== "daily") return schedule;
  return { ...schedule, secondOfDay: (schedule.secondOfDay + 1) % 86_400 };
}

function describe(fields: object): string {
  return JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value));
}
