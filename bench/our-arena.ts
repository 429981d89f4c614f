/** Ours: a master that runs nothing itself, nodes, and a process that adds. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { OUTCOME, STORED_STATUS } from "../src/core/job.ts";
import { type NodeProcess, startNodeProcess } from "../test/cluster/node-process.ts";
import type { PrivateServer } from "../test/servers/private-server.ts";
import { type Arena, DONE_LIMIT_MS } from "./arena.ts";
import { type Child, startChild } from "./child-process.ts";
import { CONCURRENCY, preciseNow } from "./contender.ts";
import { makeSecure } from "./secure.ts";
import { readStatements, type Statement } from "./statements.ts";

const HANDLERS = join(import.meta.dirname, "handlers.ts");
const POLL_MS = 20;

export interface OurArena extends Arena {
  readonly database: mysql.Pool;
  readonly master: NodeProcess;
  /** Another node that runs nothing, and can become master. */
  startStandby(): Promise<NodeProcess>;
  statements(): Promise<Statement[]>;
}

export async function openOurs(
  servers: { readonly mysql: PrivateServer; readonly redis: PrivateServer },
  options: { readonly profileFolder: string | null; readonly isSecure: boolean },
): Promise<OurArena> {
  const name = `bench_${randomBytes(4).toString("hex")}`;
  const database = mysql.createPool({ uri: servers.mysql.url, connectionLimit: 2 });
  await database.query(`CREATE DATABASE ${name}`);
  const url = new URL(servers.mysql.url);
  url.pathname = `/${name}`;
  const rows = mysql.createPool({ uri: url.href, connectionLimit: 2, supportBigNumbers: true });
  const secure = options.isSecure ? makeSecure() : null;
  const start = (nodeId: string, slots: number) =>
    startNodeProcess({
      MYSQL_URL: url.href,
      REDIS_URL: servers.redis.url,
      CLUSTER_PREFIX: `${name}:`,
      HANDLERS,
      NODE_ID: nodeId,
      SLOTS: `${slots}`,
      RETENTION: "off",
      ...secure?.env,
      ...(options.profileFolder === null
        ? {}
        : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${join(options.profileFolder, nodeId)}` }),
    });
  const processes: NodeProcess[] = [];
  const workers: NodeProcess[] = [];
  const master = await start("master", 0);
  processes.push(master);
  const adder: Child = startChild(
    options.profileFolder === null
      ? []
      : ["--cpu-prof", `--cpu-prof-dir=${join(options.profileFolder, "adder")}`],
  );
  await adder.call("openAdder", "elastic-job", {
    postgres: "",
    redis: "",
    node: secure === null ? master.url : `https://${master.address}`,
    ...(secure === null ? {} : { secure: { token: secure.token, ca: secure.ca } }),
  });
  await adder.call("untilDone", DONE_LIMIT_MS);

  async function read(sql: string): Promise<Record<string, number>> {
    const [found] = await rows.query<mysql.RowDataPacket[]>(sql);
    return Object.fromEntries(Object.entries(found[0] ?? {}).map(([key, value]) => [key, Number(value)]));
  }

  return {
    name: options.isSecure ? "elastic-job-secure" : "elastic-job",
    adder,
    database: rows,
    master,
    async startStandby() {
      const standby = await start(`standby-${processes.length}`, 0);
      processes.push(standby);
      return standby;
    },
    async startWorkers(count) {
      const first = workers.length;
      const started = await Promise.all(
        Array.from({ length: count }, (_, index) => start(`node-${first + index}`, CONCURRENCY)),
      );
      workers.push(...started);
      processes.push(...started);
    },
    // Its memory is empty when all has ended, or when the next page is on its way: the store knows.
    async untilDone() {
      const limit = performance.now() + DONE_LIMIT_MS;
      for (;;) {
        const at = await adder.call("untilDone", DONE_LIMIT_MS);
        const { left } = await read(
          `SELECT COUNT(*) AS \`left\` FROM jobinfo WHERE status <> ${STORED_STATUS.SUCCEEDED}`,
        );
        if (left === 0) return at;
        if (performance.now() > limit) throw new Error(`${left} jobs are unfinished`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    async beganAt() {
      return (await read("SELECT MIN(start_time) AS at FROM jobresult"))["at"] ?? preciseNow();
    },
    async takeStamps() {
      const [found] = await rows.query<mysql.RowDataPacket[]>(
        "SELECT output FROM jobresult WHERE output IS NOT NULL AND late = 0",
      );
      return found.map(({ output }) => Number(output));
    },
    pids: () => ({
      adder: [adder.pid],
      master: [master.pid],
      nodes: workers.map(({ pid }) => pid),
      store: [servers.mysql.pid],
    }),
    async verify(adds) {
      const jobs = await read(
        `SELECT COUNT(*) AS n, SUM(status = ${STORED_STATUS.SUCCEEDED}) AS succeeded FROM jobinfo`,
      );
      const results = await read(`SELECT COUNT(*) AS n, COUNT(DISTINCT job_id) AS jobs,
        SUM(outcome = ${OUTCOME.SUCCEEDED}) AS succeeded, SUM(late) AS late FROM jobresult`);
      const seen = `${jobs["n"]} rows, ${jobs["succeeded"]} SUCCEEDED, ${results["n"]} results of ${results["jobs"]} jobs, ${results["late"]} late`;
      const counts = [jobs["n"], jobs["succeeded"], results["n"], results["jobs"], results["succeeded"]];
      // One result a job and none late: no (job, claim) ran twice.
      if (counts.some((count) => count !== adds) || results["late"] !== 0) {
        throw new Error(`${adds} adds were acknowledged, but there are ${seen}`);
      }
      return seen;
    },
    statements: () => readStatements(rows, name),
    async close() {
      await adder.close();
      await Promise.all(processes.filter((node) => node.isAlive()).map((node) => node.stop()));
      secure?.remove();
      await rows.end();
      await database.query(`DROP DATABASE ${name}`);
      await database.end();
    },
  };
}
