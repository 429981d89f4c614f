/**
 * `npm run bench:takeover [-- <figure> …]`: how quickly the cluster recovers, and how fairly it shares, with
 * real processes on a private MariaDB and Redis and the default settings. Prints a Markdown table.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { RowDataPacket } from "mysql2/promise";
import type { AddJobInput } from "../../src/client/job-json.ts";
import { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { Effect } from "../cluster/effects-log.ts";
import { openConnection } from "../cluster/evidence.ts";
import {
  type ClusterNode,
  type ClusterOptions,
  startCluster,
  type TestCluster,
} from "../cluster/test-cluster.ts";
import { until } from "../fixtures/until.ts";
import { startMysql } from "../servers/mysql.ts";
import { startRedis } from "../servers/redis.ts";

const TTL_MS = 3000;
const LEASE_MS = 6000;
const BURN = pathToFileURL(join(import.meta.dirname, "../cluster/burn-cpu.mjs")).href;

interface Row {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { runs: { type: "string" } } });
const [mysql, redis] = await Promise.all([startMysql(), startRedis()]);
let clusters = 0;

async function withCluster(
  options: Partial<ClusterOptions>,
  work: (cluster: TestCluster) => Promise<Row[]>,
): Promise<Row[]> {
  const name = `figures_${++clusters}`;
  const url = `${mysql.url}${name}`;
  const operator = await openConnection(mysql.url);
  await operator.query(`CREATE DATABASE ${name}`);
  operator.destroy();
  const cluster = await startCluster({
    databaseUrl: url,
    redisUrl: redis.url,
    prefix: `${name}:`,
    nodes: 3,
    watchesRows: false,
    ...options,
    env: { LOG_LEVEL: "info", SLOTS: "16", ...options.env },
  });
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

/** One job due every 10 ms, for `ms`. Added beforehand, so that nothing but the master has a part in it. */
async function dueEvery10ms(cluster: TestCluster, ms: number): Promise<number> {
  const leadMs = 1000;
  const from = Date.now() + leadMs;
  const jobs = Array.from({ length: ms / 10 }, (_, index): AddJobInput => {
    return { handler: "effect", timed: { runAt: new Date(from + index * 10).toISOString() } };
  });
  const client = cluster.client(cluster.nodes.find(({ isUp }) => isUp));
  const outcomes = await client.addJobs(jobs);
  if (!outcomes.every((one) => "added" in one)) throw new Error("not all jobs were added");
  return from;
}

function starts(cluster: TestCluster): Effect[] {
  return cluster.effects().filter(({ event }) => event === "start");
}

/** The longest time without a start, from `from` on. */
function longestGap(times: readonly number[], from: number): number {
  let longest = 0;
  let before = from;
  for (const at of times.filter((time) => time >= from).sort((a, b) => a - b)) {
    longest = Math.max(longest, at - before);
    before = at;
  }
  return longest;
}

async function gapsOf(
  cluster: TestCluster,
  runs: number,
  windowMs: number,
  fault: (master: ClusterNode) => Promise<unknown>,
  mend: (node: ClusterNode) => Promise<unknown>,
): Promise<number[]> {
  const gaps: number[] = [];
  for (let run = 0; run < runs; run++) {
    await cluster.forget();
    const master = await cluster.master();
    const from = await dueEvery10ms(cluster, windowMs);
    await sleep(Math.max(0, from + 500 - Date.now()));
    await fault(master);
    const added = windowMs / 10;
    await until(
      "all have started",
      () => new Set(starts(cluster).map(({ jobId }) => jobId)).size === added,
      windowMs + 30_000,
    );
    gaps.push(
      longestGap(
        starts(cluster).map(({ at }) => at),
        from + 100,
      ),
    );
    await mend(master);
    const joined = () => master.logged("joined the cluster").length;
    const before = joined();
    await until("it has joined", async () => joined() > 0 || before > 0);
    await sleep(500);
    process.stderr.write(`  ${gaps.at(-1)?.toFixed(0)} ms\n`);
  }
  return gaps;
}

function figure(what: string, measured: readonly number[], goalMs: number): Row {
  const sorted = [...measured].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  const slowest = sorted.at(-1) ?? 0;
  return {
    what: `${what} (${measured.length} runs)`,
    goal: `slowest < ${goalMs} ms`,
    measured: `slowest ${slowest.toFixed(0)} ms, median ${median.toFixed(0)} ms`,
    isMet: slowest < goalMs,
  };
}

const runsOr = (count: number) => Number(values.runs ?? count);

const FIGURES: Readonly<Record<string, () => Promise<Row[]>>> = {
  kill: () =>
    withCluster({}, async (cluster) => [
      figure(
        "takeover after kill -9 of the master",
        await gapsOf(
          cluster,
          runsOr(20),
          3000,
          (master) => master.kill(),
          (node) => node.restart(),
        ),
        1000,
      ),
    ]),

  graceful: () =>
    withCluster({}, async (cluster) => [
      figure(
        "takeover after SIGTERM to the master",
        await gapsOf(
          cluster,
          runsOr(20),
          3000,
          async (master) => {
            master.isUp = false;
            await master.process.stop();
          },
          (node) => node.restart(),
        ),
        500,
      ),
    ]),

  silent: () =>
    withCluster({}, async (cluster) => [
      figure(
        "takeover after SIGSTOP of the master",
        await gapsOf(
          cluster,
          runsOr(5),
          7000,
          async (master) => {
            master.process.signal("SIGSTOP");
            await sleep(8000);
            master.process.signal("SIGCONT");
          },
          async () => {},
        ),
        TTL_MS + 1000,
      ),
    ]),

  restart: () =>
    withCluster({}, async (cluster) => {
      const again = async (
        runs: number,
        isMaster: boolean,
        fault: (node: ClusterNode) => Promise<unknown>,
        mend: (node: ClusterNode) => Promise<unknown>,
      ) => {
        const measured: number[] = [];
        for (let run = 0; run < runs; run++) {
          await cluster.forget();
          const master = await cluster.master();
          const [other] = cluster.others(master);
          const victim = isMaster ? master : other;
          if (victim === undefined || other === undefined) throw new Error("no node");
          const client = cluster.client(other);
          const jobs = Array.from(
            { length: 24 },
            (): AddJobInput => ({ handler: "effect", payload: { ms: 12_000 } }),
          );
          await client.addJobs(jobs);
          await until("they run", () => starts(cluster).length === jobs.length);
          const lost = new Set(
            starts(cluster)
              .filter(({ node }) => node === victim.name)
              .map(({ jobId }) => jobId),
          );
          const at = performance.timeOrigin + performance.now();
          await fault(victim);
          const second = () => starts(cluster).filter((one) => one.claim > 1 && lost.has(one.jobId));
          await until("they run again", () => second().length === lost.size, 20_000);
          measured.push(Math.max(...second().map((one) => one.at)) - at);
          process.stderr.write(`  ${measured.at(-1)?.toFixed(0)} ms (${lost.size} jobs)\n`);
          await mend(victim);
          await cluster.settled(40_000);
        }
        return measured;
      };
      return [
        figure(
          "running jobs of a killed node start again",
          await again(
            runsOr(10),
            false,
            (node) => node.kill(),
            (node) => node.restart(),
          ),
          2000,
        ),
        figure(
          "running jobs of a killed master start again",
          await again(
            runsOr(10),
            true,
            (node) => node.kill(),
            (node) => node.restart(),
          ),
          2000,
        ),
        figure(
          "running jobs of a frozen node start again",
          await again(
            Math.min(3, runsOr(3)),
            false,
            async (node) => node.process.signal("SIGSTOP"),
            async (node) => node.process.signal("SIGCONT"),
          ),
          LEASE_MS + 1000,
        ),
      ];
    }),

  fairness: () => {
    const slots = [1, 1, 2, 4, 8];
    const total = slots.reduce((sum, count) => sum + count, 0);
    const jobs = 20_000;
    return withCluster(
      { nodes: slots.length, envOf: (index) => ({ SLOTS: `${slots[index]}` }) },
      async (cluster) => {
        const random = new SeededRandom(1);
        const client = cluster.client(cluster.nodes[0], 60_000);
        for (let added = 0; added < jobs; added += 5000) {
          await client.addJobs(
            Array.from({ length: 5000 }, (): AddJobInput => {
              const ms = random.chance(0.1) ? random.between(100, 300) : random.between(5, 60);
              return { handler: "sleep", payload: { ms } };
            }),
          );
        }
        await cluster.settled(600_000);
        const ran = await ranByNode(cluster);
        return slots.map((count, index) => {
          const share = (ran.get(`n${index + 1}`) ?? 0) / jobs;
          const fair = count / total;
          const off = share / fair - 1;
          return {
            what: `share of n${index + 1}, with ${count} of ${total} slots, of ${jobs} jobs`,
            goal: `${(fair * 100).toFixed(2)}% ± 10% of it`,
            measured: `${(share * 100).toFixed(2)}% (${(off * 100).toFixed(1)}% off)`,
            isMet: Math.abs(off) <= 0.1,
          };
        });
      },
    );
  },

  busy: () =>
    withCluster(
      { envOf: (index) => (index === 1 ? { NODE_OPTIONS: `--import=${BURN}`, BURN_SHARE: "1" } : {}) },
      async (cluster) => {
        const client = cluster.client(cluster.nodes[0]);
        const cpuOf = async () =>
          (await client.getCluster()).nodes.find(({ nodeId }) => nodeId === "n2")?.cpu ?? 0;
        let cpu = 0;
        const isKnown = async () => {
          cpu = await cpuOf();
          return cpu >= 0.85;
        };
        await until("its load is known", isKnown, 60_000);
        for (let index = 0; index < 100; index++) {
          await client.addJobs(
            Array.from({ length: 10 }, (): AddJobInput => ({ handler: "sleep", payload: { ms: 100 } })),
          );
          await sleep(100);
        }
        await cluster.settled(60_000);
        const ran = await ranByNode(cluster);
        const share = (ran.get("n2") ?? 0) / 1000;
        return [
          {
            what: `share of one of three equal nodes, its process at ${(cpu * 100).toFixed(0)}% of its CPU, of 1,000 jobs`,
            goal: "visibly less than 33%",
            measured: `${(share * 100).toFixed(1)}%`,
            isMet: share < 0.25,
          },
        ];
      },
    ),

  million: () =>
    withCluster({}, async (cluster) => {
      const emptyMb = Math.max(...cluster.nodes.map((node) => residentMb(node.process.pid)));
      await addMillion(cluster);
      // The next master takes its ids from beyond them.
      const first = await cluster.master();
      await first.kill();
      await first.restart();
      const rows: number[] = [];
      let memoryMb = 0;
      for (let run = 0; run < runsOr(5); run++) {
        rows.push(
          ...(await gapsOf(
            cluster,
            1,
            3000,
            (master) => master.kill(),
            async (node) => {
              const next = await cluster.master();
              // While it reads its pages, and after.
              for (let look = 0; look < 10; look++) {
                memoryMb = Math.max(memoryMb, residentMb(next.process.pid));
                await sleep(500);
              }
              await node.restart();
            },
          )),
        );
      }
      return [
        figure("takeover with 1,000,000 waiting jobs, to the first start", rows, 2000),
        {
          what: "memory of the new master with 1,000,000 waiting jobs",
          goal: "< 200 MB",
          measured: `${memoryMb} MB resident (a node without jobs: ${emptyMb} MB)`,
          isMet: memoryMb < 200,
        },
      ];
    }),
};

async function ranByNode(cluster: TestCluster): Promise<Map<string, number>> {
  const [rows] = await cluster.database.query<RowDataPacket[]>(
    "SELECT node_id, COUNT(*) AS count FROM jobresult JOIN jobnode ON jobnode.number = jobresult.node WHERE outcome = 1 GROUP BY node_id",
  );
  return new Map(rows.map((row) => [String(row["node_id"]), Number(row["count"])]));
}

/** Copies of one job, due over the next hour: a twelfth of them is within the horizon. */
async function addMillion(cluster: TestCluster): Promise<void> {
  const client = cluster.client(cluster.nodes[0]);
  const { jobId } = await client.addJob({ handler: "echo", name: "one of many", timed: { delay: "3600s" } });
  const digits =
    "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
  const { database } = cluster;
  await database.query("UPDATE jobidblock SET next_id = next_id + 2000000");
  const [columns] = await database.query<RowDataPacket[]>("SHOW COLUMNS FROM jobinfo");
  const names = columns.map((column) => String(column["Field"]));
  const spread: Readonly<Record<string, string>> = {
    id: "1000000 + n",
    at: "at - 3300000 + n * 3",
    scheduled_at: "scheduled_at - 3300000 + n * 3",
  };
  for (let part = 0; part < 10; part++) {
    const numbers = `SELECT ${part} * 100000 + a.d * 10000 + b.d * 1000 + c.d * 100 + e.d * 10 + f.d AS n
      FROM ${digits} a CROSS JOIN ${digits} b CROSS JOIN ${digits} c CROSS JOIN ${digits} e CROSS JOIN ${digits} f`;
    await database.query(
      `INSERT INTO jobinfo (${names.join(", ")}) SELECT ${names.map((name) => spread[name] ?? name).join(", ")}
      FROM jobinfo CROSS JOIN (${numbers}) AS numbers WHERE id = ?`,
      [jobId],
    );
  }
}

function residentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kib ?? 0) / 1024);
}

const chosen = positionals.length > 0 ? positionals : Object.keys(FIGURES);
let isMissed = false;
try {
  console.log("| what | goal | measured | met |\n| --- | --- | --- | --- |");
  for (const name of chosen) {
    const measure = FIGURES[name];
    if (measure === undefined) throw new Error(`${name}: use one of ${Object.keys(FIGURES).join(", ")}`);
    for (const { what, goal, measured, isMet } of await measure()) {
      console.log(`| ${what} | ${goal} | ${measured} | ${isMet ? "yes" : "NO"} |`);
      isMissed ||= !isMet;
    }
  }
} finally {
  await Promise.all([mysql.stop(), redis.stop()]);
}
process.exit(isMissed ? 1 : 0);
