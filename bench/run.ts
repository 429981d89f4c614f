/**
 * `npm run bench`: ours beside its peers, on servers of their own with durable settings, taking turns
 * in every round. What a run stored is verified; a run that is not right counts as failed.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { dirname, join } from "node:path";
import mysql from "mysql2/promise";
import type { PrivateServer } from "../test/servers/private-server.ts";
import type { Arena } from "./arena.ts";
import type { ContenderName } from "./contender.ts";
import { type Options, parseOptions, USAGE, UsageError } from "./options.ts";
import { type OurArena, openOurs } from "./our-arena.ts";
import { openPeer } from "./peer-arena.ts";
import { type Failed, type Measured, tableOf } from "./report.ts";
import { startMysql, startPostgres, startRedis } from "./servers.ts";
import type { Workload } from "./workload.ts";

interface Servers {
  readonly mysql: PrivateServer;
  readonly redis: PrivateServer;
  readonly postgres: PrivateServer | null;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: Options | "help";
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(error instanceof UsageError || error instanceof TypeError ? error.message : error);
    return 2;
  }
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  installPeers(options);
  const started: PrivateServer[] = [];
  const start = async (server: Promise<PrivateServer>) => {
    started.push(await server);
    return await server;
  };
  try {
    const { mysqld: program, binlog, statements, peers } = options;
    const servers = {
      mysql: await start(startMysql({ program, binlog, statements })),
      redis: await start(startRedis()),
      postgres: peers.some((peer) => peer !== "bullmq") ? await start(startPostgres()) : null,
    };
    return await runAll(options, servers);
  } finally {
    for (const server of started.reverse()) await server.stop();
  }
}

async function runAll(options: Options, servers: Servers): Promise<number> {
  const machine = await describeMachine(servers, options);
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
  );
  const measured: Measured[] = [];
  const failed: Failed[] = [];
  for (const workload of options.workloads) {
    const contenders: ContenderName[] = [
      "elastic-job",
      ...(options.secure ? (["elastic-job-secure"] as const) : []),
      ...(workload.contenders === "all" ? options.peers : []),
    ];
    for (let round = 1; round <= (workload.once ? 1 : options.rounds); round++) {
      // Each begins a round once: whatever the one before leaves behind should hit all alike.
      const turn = contenders.map(
        (_, index) => contenders[(index + round - 1) % contenders.length] ?? "elastic-job",
      );
      for (const contender of turn) {
        const loadBefore = loadavg()[0] ?? Number.NaN;
        try {
          const figures = await runOne(workload, contender, options, servers);
          measured.push({ workload: workload.name, contender, round, figures, loadBefore });
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          failed.push({ workload: workload.name, contender, round, error: message });
          console.error(`${workload.name}, ${contender}, round ${round} FAILED: ${message}`);
        }
      }
    }
    console.log(tableOf(workload, measured));
    if (options.json !== null) {
      mkdirSync(dirname(options.json), { recursive: true });
      writeFileSync(options.json, JSON.stringify({ machine, size: options.size, measured, failed }, null, 2));
    }
  }
  return failed.length === 0 ? 0 : 1;
}

async function runOne(workload: Workload, contender: ContenderName, options: Options, servers: Servers) {
  let ours: OurArena | null = null;
  let arena: Arena;
  if (contender === "elastic-job" || contender === "elastic-job-secure") {
    const folder = options.profileFolder;
    const profileFolder = folder === null ? null : join(folder, workload.name);
    arena = ours = await openOurs(servers, { profileFolder, isSecure: contender === "elastic-job-secure" });
  } else {
    arena = await openPeer(contender, servers);
  }
  try {
    const figures = await workload.run(arena, options.size, ours);
    if (options.statements && ours !== null) {
      for (const { text, runs, rows, ms } of await ours.statements()) {
        console.log(
          `  ${ms.toFixed(0).padStart(8)} ms ${String(runs).padStart(7)} runs ${String(rows).padStart(8)} rows  ${text}`,
        );
      }
    }
    return figures;
  } finally {
    await arena.close();
  }
}

async function describeMachine(servers: Servers, options: Options): Promise<Record<string, string>> {
  const connection = await mysql.createConnection(servers.mysql.url);
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    `SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flushes, @@log_bin AS log_bin, @@sync_binlog AS syncs`,
  );
  await connection.end();
  const [row] = rows;
  return {
    date: new Date().toISOString(),
    machine: `${availableParallelism()} cores, ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    database: `${row?.["version"]}, innodb_flush_log_at_trx_commit=${row?.["flushes"]}, log_bin=${row?.["log_bin"]}, sync_binlog=${row?.["syncs"]}`,
    peers: options.peers.join(", ") || "none",
    load: loadavg()
      .map((load) => load.toFixed(1))
      .join(" "),
  };
}

/** The peers are no dependency of the project's: they are installed when they are first needed. */
function installPeers({ peers }: Options): void {
  if (peers.length === 0) return;
  const script = join(import.meta.dirname, "../scripts/install.mjs");
  const { status } = spawnSync(process.execPath, [script, "bench"], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("without its peers, nothing is measured; --against none leaves them out");
}
