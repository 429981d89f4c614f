/** Some node processes on one MySQL and one Redis, each perhaps behind proxies, and what they leave behind. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, RowDataPacket } from "mysql2/promise";
import { createClient } from "../../src/client/client.ts";
import type { ElasticJobClient } from "../../src/client/elastic-job-client.ts";
import { until } from "../fixtures/until.ts";
import { freePort } from "../servers/free-port.ts";
import { findViolations } from "./checker.ts";
import { type Effect, readEffects } from "./effects-log.ts";
import {
  type Acknowledged,
  countUnfinished,
  type Evidence,
  FinalRowWatch,
  openEvidence,
  readTables,
} from "./evidence.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { type NodeProcess, startNodeProcess } from "./node-process.ts";

const HANDLERS = join(import.meta.dirname, "effect-handlers.ts");
const LOOK_EVERY_MS = 500;

export interface NodeProxies {
  readonly mysql: FaultProxy;
  readonly redis: FaultProxy;
  /** Between this node and the others. */
  readonly peer: FaultProxy;
}

export interface ClusterNode {
  readonly name: string;
  /** Not through a proxy. */
  readonly url: string;
  process: NodeProcess;
  readonly proxies: NodeProxies | null;
  isUp: boolean;
  kill(): Promise<void>;
  /** After it was killed or stopped. */
  restart(): Promise<void>;
  /** What it has logged with this message, over all its processes. */
  logged(message: string): Record<string, unknown>[];
}

export interface ClusterOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly nodes: number;
  readonly proxied?: boolean;
  /** Whether final rows are looked at all the time, which costs time; default true. */
  readonly watchesRows?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** For one node, by its place. */
  readonly envOf?: (index: number) => Readonly<Record<string, string>>;
}

export interface TestCluster {
  readonly nodes: readonly ClusterNode[];
  /** Before its keys in Redis. */
  readonly prefix: string;
  readonly effectsPath: string;
  readonly database: Pool;
  client(node?: ClusterNode, timeoutMs?: number): ElasticJobClient;
  urls(): string[];
  effects(): Effect[];
  /** The node that holds the newest epoch, by the database. */
  master(): Promise<ClusterNode>;
  others(node: ClusterNode): ClusterNode[];
  mastership(): Promise<{ epoch: number; incarnation: string }>;
  /** Waits until all jobs that run once have ended. */
  settled(limitMs: number): Promise<void>;
  evidence(acknowledged: readonly Acknowledged[], deleted?: ReadonlySet<number>): Promise<Evidence>;
  violations(acknowledged: readonly Acknowledged[], deleted?: ReadonlySet<number>): Promise<string[]>;
  /** From here on only jobs that are added later count. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), "elastic-job-cluster-"));
  const effectsPath = join(folder, "effects.jsonl");
  const starting = Array.from({ length: options.nodes }, (_, index) =>
    startNode(options, index, effectsPath),
  );
  const started = await Promise.allSettled(starting);
  const nodes = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failure = started.find((one) => one.status === "rejected");
  if (failure !== undefined) {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
    throw failure.reason;
  }
  const database = openEvidence(options.databaseUrl);
  let rows = new FinalRowWatch();
  const ended = new AbortController();
  /** Jobs up to this id belong to earlier tests. */
  let forgottenThrough = 0;
  let last: Promise<unknown> = Promise.resolve();
  /** One look after another, so that the order of the snapshots is the order in which they are compared. */
  const look = () => {
    const looked = last.then(async () => {
      const tables = await readTables(database);
      const results = tables.results.filter(({ jobId }) => jobId > forgottenThrough);
      rows.look(results);
      return { now: tables.now, results, jobs: tables.jobs.filter(({ id }) => id > forgottenThrough) };
    });
    last = looked.catch(() => {});
    return looked;
  };
  const watch = (async () => {
    while (!ended.signal.aborted && options.watchesRows !== false) {
      // The database itself may be away: then there is nothing to see.
      await look().catch(() => {});
      await sleep(LOOK_EVERY_MS, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();

  const cluster: TestCluster = {
    nodes,
    prefix: options.prefix,
    effectsPath,
    database,
    client(node = nodes[0], timeoutMs = 15_000) {
      if (node === undefined) throw new Error("no node");
      return createClient({ baseUrl: node.url, timeoutMs });
    },
    urls: () => nodes.filter(({ isUp }) => isUp).map(({ url }) => url),
    effects: () => readEffects(effectsPath).filter(({ jobId }) => jobId > forgottenThrough),
    async mastership() {
      const read = () =>
        database.query<RowDataPacket[]>("SELECT epoch, incarnation FROM jobcluster WHERE id = 1");
      // Once more: the first connection may be one that the database has closed meanwhile.
      const [[row]] = await read().catch(read);
      return { epoch: Number(row?.["epoch"]), incarnation: String(row?.["incarnation"]) };
    },
    async master() {
      let found: ClusterNode | undefined;
      await until(
        "there is a master",
        async () => {
          const { epoch } = await cluster.mastership();
          found = nodes.find(
            (node) => node.isUp && node.logged("elected master").some((line) => line["epoch"] === epoch),
          );
          return found !== undefined;
        },
        20_000,
      );
      if (found === undefined) throw new Error("no master");
      return found;
    },
    others: (node) => nodes.filter((other) => other !== node),
    async settled(limitMs) {
      try {
        await until(
          "all jobs have ended",
          async () => (await countUnfinished(database).catch(() => -1)) === 0,
          limitMs,
        );
      } catch (error) {
        const left = (await look()).jobs.filter(({ status }) => status === 1 || status === 3);
        const logs = nodes.map((node) => `${node.name}: ${node.process.log.slice(-15).join("\n")}`);
        throw new Error([String(error), JSON.stringify(left.slice(0, 10)), ...logs].join("\n"), {
          cause: error,
        });
      }
    },
    async evidence(acknowledged, deleted = new Set()) {
      // The cluster does not stand still: starts from before the tables were read, and ends from after.
      const before = cluster.effects();
      const tables = await look();
      const ends = cluster
        .effects()
        .slice(before.length)
        .filter(({ event }) => event !== "start");
      return { ...tables, effects: [...before, ...ends], acknowledged, deleted, seenRows: rows.rows };
    },
    async violations(acknowledged, deleted) {
      return findViolations(await cluster.evidence(acknowledged, deleted));
    },
    async forget() {
      const [[newest]] = await database.query<RowDataPacket[]>("SELECT MAX(id) AS id FROM jobinfo");
      forgottenThrough = Math.max(forgottenThrough, Number(newest?.["id"] ?? 0));
      rows = new FinalRowWatch();
    },
    async stop() {
      ended.abort();
      await watch;
      await Promise.all(nodes.map((node) => node.kill()));
      await Promise.all(
        nodes.flatMap(({ proxies }) =>
          proxies === null ? [] : [proxies.mysql.close(), proxies.redis.close(), proxies.peer.close()],
        ),
      );
      await database.end().catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await until(
    "all nodes have joined",
    async () => nodes.every((node) => node.logged("joined the cluster").length > 0),
    20_000,
  );
  return cluster;
}

async function startNode(options: ClusterOptions, index: number, effectsPath: string): Promise<ClusterNode> {
  const port = await freePort();
  const name = `n${index + 1}`;
  const mysql = new URL(options.databaseUrl);
  // Several servers are no URL; they are not proxied.
  const redis = URL.parse(options.redisUrl) ?? new URL("redis://127.0.0.1");
  const proxies: NodeProxies | null =
    options.proxied === true
      ? {
          mysql: await startFaultProxy({ host: mysql.hostname, port: Number(mysql.port || 3306) }),
          redis: await startFaultProxy({ host: redis.hostname, port: Number(redis.port || 6379) }),
          peer: await startFaultProxy({ host: "127.0.0.1", port }),
        }
      : null;
  if (proxies !== null) {
    mysql.host = proxies.mysql.address;
    redis.host = proxies.redis.address;
  }
  const env = {
    MYSQL_URL: mysql.href,
    REDIS_URL: proxies === null ? options.redisUrl : redis.href,
    CLUSTER_PREFIX: options.prefix,
    NODE_ID: name,
    PORT: `${port}`,
    ADVERTISE_ADDRESS: proxies === null ? `127.0.0.1:${port}` : proxies.peer.address,
    HANDLERS,
    EFFECTS_LOG: effectsPath,
    SLOTS: "8",
    ...options.env,
    ...options.envOf?.(index),
  };
  const older: string[] = [];
  const node: ClusterNode = {
    name,
    url: `http://127.0.0.1:${port}`,
    proxies,
    isUp: true,
    process: await startNodeProcess(env),
    async kill() {
      node.isUp = false;
      await node.process.kill();
    },
    async restart() {
      older.push(...node.process.log);
      node.process = await startNodeProcess(env);
      node.isUp = true;
    },
    logged: (message) =>
      [...older, ...node.process.log]
        .filter((line) => line.includes(message) && line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((line) => String(line["msg"]).includes(message)),
  };
  return node;
}
