/** Retention at work on many finished jobs while others flow, and what came of it. */
import mysql, { type Pool, type RowDataPacket } from "mysql2/promise";
import { createClient } from "../../../../src/client/client.ts";
import type { ElasticJobClient } from "../../../../src/client/elastic-job-client.ts";
import { sleep } from "../../../../src/core/clock.ts";
import { openMysqlStore } from "../../../../src/store/open.ts";
import { systemClock } from "../../../../src/system-clock.ts";
import { type NodeProcess, startNodeProcess } from "../../../cluster/node-process.ts";
import { until } from "../../../fixtures/until.ts";
import { addFinishedJobs, type FinishedJobs, resultName } from "./finished-jobs.ts";

const FLOWING_AT_ONCE = 50;
const ADDERS = 2;
const PAGE_SIZE = 1_000;
const LOOK_EVERY_MS = 500;
const LIST_REST_MS = 2_000;

export interface CleanUp {
  readonly finished: FinishedJobs;
  /** Ids of the finished jobs that are left, and the same of the others. */
  readonly jobs: ReadonlySet<number>;
  readonly results: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
  readonly flowed: number;
  /** Of those that flowed. */
  readonly notSucceeded: number;
  /** From the first removal to the last. */
  readonly tookMs: number;
  /** How long adding 50 jobs took, sorted. */
  readonly addMs: readonly number[];
  readonly deadlocks: number;
  readonly lockTimeouts: number;
  readonly lockWaits: number;
  /** Full lists made meanwhile, and what was wrong with them. */
  readonly lists: number;
  readonly wrongLists: readonly string[];
  /** Lines of the nodes' logs about it. */
  readonly complaints: readonly string[];
}

export async function cleanUpWhileJobsFlow(options: {
  readonly mysqlUrl: string;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly finishedJobs: number;
  readonly limitMs: number;
  /** Between two adds of one adder; 0: as fast as it goes. */
  readonly pauseMs: number;
  readonly progress?: (line: string) => void;
}): Promise<CleanUp> {
  const store = openMysqlStore({ url: options.mysqlUrl, clock: systemClock });
  await store.migrate();
  const finished = await addFinishedJobs(store, options.finishedJobs, await store.readClock());
  options.progress?.(`added ${options.finishedJobs} finished jobs`);
  const database = mysql.createPool({ uri: options.mysqlUrl, connectionLimit: 2 });
  const env = {
    MYSQL_URL: options.mysqlUrl,
    REDIS_URL: options.redisUrl,
    CLUSTER_PREFIX: options.prefix,
    LOCK_TTL_MS: "1000",
    NODE_LEASE_MS: "3000",
    SLOTS: "100",
  };
  const nodes: NodeProcess[] = [];
  try {
    const before = await readLocks(database);
    for (const name of ["a", "b"]) nodes.push(await startNodeProcess({ ...env, NODE_ID: name }));
    const client = createClient({ baseUrl: nodes[0]?.url ?? "", timeoutMs: 20_000 });
    await until("the nodes have joined", async () => ((await client.getCluster()).nodes ?? []).length === 2);
    const done = new AbortController();
    const flow = { ids: [] as number[], addMs: [] as number[] };
    const adders = Array.from({ length: ADDERS }, () => addJobs(client, flow, options.pauseMs, done.signal));
    const lists = { count: 0, wrong: [] as string[] };
    const lister = listJobs(client, finished, lists, done.signal);
    const work = Promise.all([...adders, lister]);
    work.catch(() => done.abort());

    let startedAt = performance.now();
    let left = await countFinished(database, finished);
    const all = left;
    await until(
      "what is old is gone",
      async () => {
        await sleep(systemClock, LOOK_EVERY_MS, done.signal);
        const now = await countFinished(database, finished);
        if (left === all && now < all) startedAt = performance.now();
        if (now !== left) options.progress?.(`${now} finished jobs left, ${flow.ids.length} have flowed`);
        left = now;
        done.signal.throwIfAborted();
        return left === finished.keptJobs.size && (await isClean(database, finished));
      },
      options.limitMs,
    );
    const tookMs = performance.now() - startedAt;
    done.abort();
    await work;
    let notSucceeded = flow.ids.length;
    await until(
      "the jobs that flow have succeeded",
      async () => (notSucceeded = await countUnfinished(store, flow.ids)) === 0,
      options.limitMs,
    );
    const after = await readLocks(database);
    return {
      finished,
      jobs: await readFinished(database, finished),
      results: await readResults(database, finished),
      keys: await readKeys(database),
      flowed: flow.ids.length,
      notSucceeded,
      tookMs,
      addMs: flow.addMs.toSorted((a, b) => a - b),
      deadlocks: after.deadlocks - before.deadlocks,
      lockTimeouts: after.timeouts - before.timeouts,
      lockWaits: after.waits - before.waits,
      lists: lists.count,
      wrongLists: lists.wrong,
      complaints: nodes
        .flatMap((node) => node.log)
        .filter((line) => /deadlock|lock wait|1213|1205|could not|memory had missed/i.test(line)),
    };
  } finally {
    await Promise.all(nodes.map((node) => node.kill()));
    await database.end();
    await store.close();
  }
}

async function addJobs(
  client: ElasticJobClient,
  flow: { readonly ids: number[]; readonly addMs: number[] },
  pauseMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const startedAt = performance.now();
    const added = await client.addJobs(
      Array.from({ length: FLOWING_AT_ONCE }, () => ({
        handler: "echo",
        name: "flowing",
        payload: { a: 1 },
      })),
    );
    flow.addMs.push(performance.now() - startedAt);
    for (const outcome of added) {
      if ("error" in outcome) throw outcome.error;
      flow.ids.push(Number(outcome.added.jobId));
    }
    await sleep(systemClock, pauseMs, signal);
  }
}

/** Whatever goes meanwhile, a list has each job that stays, once. */
async function listJobs(
  client: ElasticJobClient,
  finished: FinishedJobs,
  lists: { count: number; readonly wrong: string[] },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const seen = new Set<number>();
    for await (const { jobId } of client.eachJob({ namePrefix: "finished", pageSize: PAGE_SIZE })) {
      if (signal.aborted) return;
      if (seen.has(Number(jobId))) lists.wrong.push(`job ${jobId} was listed twice`);
      seen.add(Number(jobId));
    }
    for (const id of finished.keptJobs) {
      // The two recurring jobs have another name.
      if (id < finished.lastId - 501 && !seen.has(id)) lists.wrong.push(`job ${id} was not listed`);
    }
    lists.count++;
    await sleep(systemClock, LIST_REST_MS, signal);
  }
}

async function select<Row>(database: Pool, sql: string, values: readonly number[]): Promise<Row[]> {
  const [rows] = await database.query<RowDataPacket[]>(sql, [...values]);
  return rows as Row[];
}

async function readLocks(database: Pool): Promise<{ deadlocks: number; timeouts: number; waits: number }> {
  const metrics = await select<{ name: string; n: number }>(
    database,
    "SELECT LOWER(name) AS name, count AS n FROM information_schema.innodb_metrics WHERE name LIKE 'lock_%'",
    [],
  );
  const status = await select<{ Variable_name: string; Value: string }>(
    database,
    "SHOW GLOBAL STATUS LIKE 'Innodb_%'",
    [],
  );
  const metric = (name: string) => Number(metrics.find((row) => row.name === name)?.n ?? 0);
  const variable = (name: string) =>
    Number(status.find((row) => row.Variable_name.toLowerCase() === name)?.Value ?? 0);
  return {
    // MariaDB counts in the status, MySQL in the metrics.
    deadlocks: Math.max(metric("lock_deadlocks"), variable("innodb_deadlocks")),
    timeouts: metric("lock_timeouts"),
    waits: variable("innodb_row_lock_waits"),
  };
}

async function countFinished(database: Pool, { firstId, lastId }: FinishedJobs): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM jobinfo WHERE id BETWEEN ? AND ?";
  return (await select<{ n: number }>(database, sql, [firstId, lastId]))[0]?.n ?? 0;
}

async function isClean(database: Pool, { firstId, lastId, ...kept }: FinishedJobs): Promise<boolean> {
  const sql = "SELECT COUNT(*) AS n FROM jobresult WHERE job_id BETWEEN ? AND ?";
  const [results] = await select<{ n: number }>(database, sql, [firstId, lastId]);
  return results?.n === kept.keptResults.size && (await readKeys(database)).size === kept.keptKeys.size;
}

async function readFinished(database: Pool, { firstId, lastId }: FinishedJobs): Promise<Set<number>> {
  const sql = "SELECT id FROM jobinfo WHERE id BETWEEN ? AND ?";
  return new Set((await select<{ id: number }>(database, sql, [firstId, lastId])).map((row) => row.id));
}

async function readResults(database: Pool, { firstId, lastId }: FinishedJobs): Promise<Set<string>> {
  const rows = await select<{ job_id: number; claim: number; late: number }>(
    database,
    "SELECT job_id, claim, late FROM jobresult WHERE job_id BETWEEN ? AND ?",
    [firstId, lastId],
  );
  return new Set(
    rows.map((row) => resultName({ jobId: row.job_id, claim: row.claim, late: row.late === 1 })),
  );
}

async function readKeys(database: Pool): Promise<Set<string>> {
  const rows = await select<{ k: Buffer }>(database, "SELECT k FROM jobkey WHERE k LIKE '%:own %'", []);
  return new Set(rows.map((row) => row.k.toString()));
}

async function countUnfinished(
  store: ReturnType<typeof openMysqlStore>,
  ids: readonly number[],
): Promise<number> {
  let unfinished = 0;
  for (let start = 0; start < ids.length; start += PAGE_SIZE) {
    const part = ids.slice(start, start + PAGE_SIZE);
    const jobs = await store.readJobs(part);
    unfinished += part.filter((id) => jobs.get(id)?.status !== 5).length;
  }
  return unfinished;
}
