/** The processes of a test's cluster, by their names, and what they share. */
import { quote } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import type { ThreadLife } from "../jobs/thread-life.ts";
import type { CheckedOptions, NodeOptions } from "./check-options.ts";
import type { HandlerRuns } from "./handler-runs.ts";
import { instantServer } from "./instant-server.ts";
import { LocalExecutors } from "./local-executors.ts";
import { closedDoor, NodeDoor } from "./node-door.ts";
import { SeededRandom } from "./seeded-random.ts";
import { LockServer } from "./shared-lock.ts";
import { sharedStore } from "./shared-store.ts";
import { type Pace, SimulatedNode } from "./simulated-node.ts";
import { dateOf } from "./test-clock.ts";
import { Gate, type VirtualTime } from "./virtual-clock.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import type { WrittenRows } from "./written-rows.ts";

/** As far ahead as jobs of a test are added, as a rule: memory is not looked through every minute. */
const HORIZON_MS = 86_400_000;
/** The waits between looks at what, as a rule, has not changed: see each `sleep` in src/master and src/node. */
const LOOKS_MS: ReadonlySet<number> = new Set([100, 250, 1000, 30_000, 60_000, 3_600_000]);

export interface TestNodesParts {
  readonly options: CheckedOptions;
  /** What each node runs. */
  readonly jobs: Jobs;
  readonly life: ThreadLife | null;
  /** Adds a job that a handler asks for: an AddJobRequest as JSON. */
  readonly addJob: (json: string) => Promise<string>;
  readonly time: VirtualTime;
  readonly runs: HandlerRuns;
  readonly rows: WrittenRows;
}

/** A process, and what it is started anew with. */
interface TestNode {
  readonly shape: Required<NodeOptions>;
  readonly process: SimulatedNode;
  readonly door: NodeDoor;
}

export class TestNodes {
  readonly #parts: TestNodesParts;
  readonly #random: SeededRandom;
  readonly #network: VirtualNetwork;
  readonly #lock: LockServer;
  readonly #pace: Pace;
  /** By name, in the order in which they were added. */
  readonly #nodes = new Map<string, TestNode>();
  #isStopped = false;

  constructor(parts: TestNodesParts) {
    this.#parts = parts;
    const { time, options } = parts;
    this.#random = new SeededRandom(options.seed);
    this.#network = new VirtualNetwork(time, this.#random.fork());
    this.#network.maxLatencyMs = 0;
    this.#lock = new LockServer({
      time,
      random: this.#random.fork(),
      server: instantServer,
      ttlMs: options.lockTtlMs,
    });
    this.#pace = {
      lockTtlMs: options.lockTtlMs,
      leaseMs: options.nodeLeaseMs,
      horizonMs: HORIZON_MS,
      // `sleep` alone passes a function of this name; a timer for the next due job can have any length.
      isPoll: (ms, { name }) => name === "done" && LOOKS_MS.has(ms),
      isBeat: (ms, { name }) => name === "done" && isBeat(ms, options),
    };
  }

  /** The names of those that live. */
  get living(): string[] {
    return [...this.#alive()].map(({ process }) => process.nodeId);
  }

  get master(): SimulatedNode | undefined {
    return [...this.#alive()].findLast(({ process }) => process.isMaster)?.process;
  }

  /** Of the first that lives; null: none does. */
  door(): NodeDoor | null {
    this.#checkStopped();
    const [first] = this.#alive();
    return first?.door ?? null;
  }

  /** Whether there is a master, and all that live are connected to it. */
  areConnected(): boolean {
    const now = this.master?.elector.now();
    return now?.kind === "master" && now.api.readCluster().nodes.length === this.living.length;
  }

  /** Whether a master knows of no job that runs, or is due and could. */
  areIdle(): boolean {
    const now = this.master?.elector.now();
    if (now?.kind !== "master") return false;
    const { prepared, running } = now.api.readCluster();
    return prepared === 0 && running === 0;
  }

  /** Why a job that is due does not begin. */
  async whyWaiting(jobId: number): Promise<string> {
    const now = this.master?.elector.now();
    if (now?.kind !== "master") return "no node is master";
    return (await now.api.readJob(jobId)).reason;
  }

  add(shape: Required<NodeOptions>): string {
    this.#checkStopped();
    const name = `node-${this.#nodes.size + 1}`;
    this.#start(name, shape);
    return name;
  }

  crash(name: string): void {
    const node = this.#named("crash", name);
    if (node.process.gate.isDead) throw new Error(`crash: ${name} has crashed already; restart it first`);
    this.#kill(node);
  }

  restart(name: string): void {
    const node = this.#named("restart", name);
    if (!node.process.gate.isDead) this.#kill(node);
    this.#start(name, node.shape);
  }

  /** What runs is told to end, and nothing else happens any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const node of this.#alive()) {
      await node.process.executors.stop();
      this.#kill(node);
    }
  }

  *#alive(): Generator<TestNode> {
    for (const node of this.#nodes.values()) if (!node.process.gate.isDead) yield node;
  }

  #checkStopped(): void {
    if (this.#isStopped) throw new Error("the cluster has been stopped");
  }

  #named(what: string, name: string): TestNode {
    this.#checkStopped();
    const node = this.#nodes.get(name);
    if (node !== undefined) return node;
    throw new Error(
      `${what}: there is no node ${quote(name)}; there are ${[...this.#nodes.keys()].join(", ")}`,
    );
  }

  #kill({ process, door }: TestNode): void {
    process.crash(false);
    door.die();
  }

  #start(nodeId: string, shape: Required<NodeOptions>): void {
    const { jobs, life, addJob, time, runs, rows } = this.#parts;
    const address = `${nodeId}:7070`;
    const gate = new Gate();
    const random = this.#random.fork();
    const store = sharedStore(rows.store, instantServer, address, gate);
    const logger = this.#loggerOf(nodeId);
    const process = new SimulatedNode({
      nodeId,
      address,
      ...shape,
      skewMs: 0,
      pace: this.#pace,
      time,
      gate,
      random,
      network: this.#network,
      store,
      lock: this.#lock.of(address, gate),
      logger,
      executors: (clock) => new LocalExecutors({ jobs, life, nodeId, clock, logger, addJob, runs }),
    });
    const door = new NodeDoor({
      node: process,
      clock: process.clock,
      random: random.fork(),
      store,
      logger,
      peerAt: (to) => this.#doorAt(to),
    });
    this.#nodes.set(nodeId, { shape, process, door });
    process.start();
  }

  #doorAt(address: string) {
    for (const { process, door } of this.#alive()) if (process.address === address) return door.transport;
    return closedDoor(address);
  }

  #loggerOf(nodeId: string): Logger {
    const { time, options } = this.#parts;
    const { log } = options;
    const line = (level: string) => (fields: object, message: string) =>
      log?.(`${dateOf(time).toISOString()} ${nodeId} ${level} ${message} ${textOf(fields)}`);
    return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  }
}

/** A node pings five times a lease; each tries for the lock, or renews it, about six times in its TTL. */
function isBeat(ms: number, { nodeLeaseMs, lockTtlMs }: CheckedOptions): boolean {
  return ms === nodeLeaseMs / 5 || (ms >= lockTtlMs / 8 && ms <= (lockTtlMs / 24) * 5);
}

function textOf(fields: object): string {
  return JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value));
}
