/**
 * A whole cluster inside a test: the master, the nodes and the client that ship, on virtual time, with a network, a lock and
 * a database in memory. Nothing happens but when time passes, and time passes only when the test says so, or for one of its
 * calls; so the same test does the same each time.
 */
import { createClient as createRpcClient, type Transport } from "@connectrpc/connect";
import { createClient } from "../client/client.ts";
import type { ElasticJobClient } from "../client/elastic-job-client.ts";
import type { Job, JobResult } from "../client/job-json.ts";
import { fromInput } from "../client/json-message.ts";
import { AddJobRequestSchema, JobService } from "../gen/elasticjob/v1/job_service_pb.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import { echo } from "../jobs/echo.ts";
import { fail } from "../jobs/fail.ts";
import { besideHandlers } from "../jobs/handlers-module.ts";
import { sleepMs } from "../jobs/sleep.ts";
import { openSqliteStore } from "../store/open.ts";
import {
  checkNode,
  checkNodeOptions,
  checkOptions,
  type NodeOptions,
  type TestClusterOptions,
} from "./check-options.ts";
import { createClusterTransport } from "./cluster-transport.ts";
import { HandlerRuns } from "./handler-runs.ts";
import { putModuleSchedules } from "./put-module-schedules.ts";
import { RowsView } from "./rows-view.ts";
import { SeededRandom } from "./seeded-random.ts";
import { settle } from "./settle.ts";
import { createTestClock, dateOf, type TestClock } from "./test-clock.ts";
import { TestNodes } from "./test-nodes.ts";
import { instantOf, msOf, type TestDuration, type TestMoment } from "./test-times.ts";
import { TimeDriver } from "./time-driver.ts";
import { VirtualTime } from "./virtual-clock.ts";
import { WrittenRows } from "./written-rows.ts";

/** How long before the test begins the nodes are started: by then they have a master. */
const RUN_UP_MS = 60_000;
/** Nothing that is seen by a look follows an event later: the most frequent of those come every 100 ms. */
const QUIET_AFTER_MS = 300;
/** By looks, a node is taken for gone whose lease has lapsed. */
const MAX_LATE_MS = 120_000;

export interface TestCluster extends AsyncDisposable {
  /** The client that ships. Its calls take no time, as a rule. */
  readonly client: ElasticJobClient;
  /** For a client of your own making. */
  readonly transport: Transport;
  /** What handlers wait by. */
  readonly clock: TestClock;
  /** The names of the nodes that live. */
  readonly nodes: readonly string[];
  now(): Date;
  /** Has so much time pass, or has it pass until then, and with it all that falls due. */
  advance(by: TestDuration | { readonly until: TestMoment }): Promise<void>;
  /** Has time pass until no handler runs and no job is due. Throws when a job is due and cannot begin. */
  settle(): Promise<void>;
  /** What came of each attempt, in the order in which that was written: of all jobs, or of those with this handler. */
  results(handler?: string): JobResult[];
  /** The jobs as they stand, in the order in which they were added: all, or those with this handler. */
  jobs(handler?: string): Job[];
  /** The node's process dies, as by kill -9: whatever ran there ends with it. */
  crash(node: string): void;
  /** The node is started anew, after a crash or without one. It takes jobs once time passes. */
  restart(node: string): void;
  /** Another node. Returns its name. */
  addNode(options?: NodeOptions): string;
  /** Ends everything. What still runs is aborted. */
  stop(): Promise<void>;
}

/** Starts a cluster. Its nodes have a master, and are connected to it. */
export async function testCluster(options: TestClusterOptions): Promise<TestCluster> {
  const checked = checkOptions(options);
  const shape = checkNode(options);
  const runs = new HandlerRuns(checked.handlerLimitMs);
  const time = new VirtualTime(checked.at - RUN_UP_MS, {
    settle: () => runs.rest(),
    quiet: { afterMs: QUIET_AFTER_MS, latestMs: Math.min(MAX_LATE_MS, checked.nodeLeaseMs / 5) },
    isInWholeMs: true,
  });
  const clock = createTestClock(time, runs);
  const raw = openSqliteStore({
    path: ":memory:",
    clock: {
      now: () => time.start + time.now,
      monotonic: () => time.now,
      after: (ms, callback) => time.after(ms, callback),
    },
  });
  await raw.migrate();
  const rows = new WrittenRows(raw);
  const jobs = { ...builtInJobs(clock), ...checked.jobs };
  const { life } = besideHandlers(checked.jobs);
  /** When it is called, the way to the nodes is there. */
  const addJob = async (json: string) => {
    const { jobId } = await createRpcClient(JobService, transport).addJob(
      fromInput(AddJobRequestSchema, json),
    );
    return jobId;
  };
  const nodes = new TestNodes({ options: checked, jobs, life, addJob, time, runs, rows });
  const driver = new TimeDriver({ time, passed: () => rows.read() });
  const transport = createClusterTransport({ door: () => nodes.door(), driver, runs });
  const random = new SeededRandom(checked.seed);
  const client = createClient({ transport, random: () => random.next() });
  const view = new RowsView({ rows, jobs, now: () => dateOf(time).getTime() });
  const stop = () =>
    driver.stop(async () => {
      await nodes.stop();
      await raw.close();
    });
  const drive = (what: string, go: () => Promise<void>): Promise<void> => {
    if (runs.current === undefined) return driver.alone(go);
    throw new Error(`${what}: a handler cannot move the time; it waits for it by cluster.clock.sleep`);
  };

  try {
    for (let count = 0; count < checked.nodes; count++) nodes.add(shape);
    await driver.alone(async () => {
      const areConnected = await time.runUntil(() => nodes.areConnected(), RUN_UP_MS);
      if (!areConnected) throw new Error("the nodes have found no master");
      await time.advance(RUN_UP_MS - time.now);
    });
    await putModuleSchedules(checked.jobs, jobs, transport);
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    client,
    transport,
    clock,
    get nodes() {
      return nodes.living;
    },
    now: () => clock.now(),
    async advance(by) {
      const ms = () => (typeof by === "object" ? untilMs(by.until, clock.now()) : msOf("advance", by));
      // Before anything waits.
      ms();
      await drive("advance", () => time.advance(ms()));
    },
    settle: async () => drive("settle", () => settle({ time, nodes, rows, runs })),
    results: (handler) => view.results(handler),
    jobs: (handler) => view.jobs(handler),
    crash: (node) => nodes.crash(node),
    restart: (node) => nodes.restart(node),
    addNode: (node = {}) => nodes.add(checkNodeOptions(node)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The built-in handlers that need nothing but time. */
function builtInJobs(clock: TestClock): Jobs {
  return {
    echo,
    fail,
    async sleep(job, ctx) {
      const ms = sleepMs(job);
      await clock.sleep(ms, ctx.signal);
      return { sleptMs: ms };
    },
  };
}

function untilMs(until: TestMoment, now: Date): number {
  const ms = instantOf("until", until) - now.getTime();
  if (ms >= 0) return ms;
  throw new RangeError(
    `until: ${new Date(instantOf("until", until)).toISOString()} is past; it is ${now.toISOString()} already`,
  );
}
