/** graphile-worker, tuned as its documentation advises for throughput: local queue, batched completes. */
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { Pool } from "pg";
import { type Adder, type Addresses, CONCURRENCY, type NewJob, type Worker } from "../contender.ts";

const QUIET = new Logger(() => () => {});
const POOL = 20;

function openPool(postgres: string): Pool {
  const pool = new Pool({ connectionString: postgres, max: POOL });
  const report = (error: Error) => console.error(error);
  // Both are asked for by the library: it warns of a pool without them.
  pool.on("error", report);
  pool.on("connect", (client) => client.on("error", report));
  return pool;
}

export async function openAdder({ postgres }: Addresses): Promise<Adder> {
  const pgPool = openPool(postgres);
  const utils = await makeWorkerUtils({ pgPool, logger: QUIET });
  const specOf = ({ dueAt }: NewJob) => (dueAt === undefined ? {} : { runAt: new Date(dueAt) });
  return {
    prepare: () => utils.migrate(),
    add: async (job) => void (await utils.addJob("job", job, specOf(job))),
    async addMany(jobs) {
      await utils.addJobs(jobs.map((payload) => ({ identifier: "job", payload, ...specOf(payload) })));
    },
    async unfinished() {
      const { rows } = await pgPool.query("SELECT count(*)::int AS n FROM graphile_worker._private_jobs");
      return rows[0].n;
    },
    async close() {
      await utils.release();
      await pgPool.end();
    },
  };
}

export async function openWorker({ postgres }: Addresses, started: (job: NewJob) => void): Promise<Worker> {
  const pgPool = openPool(postgres);
  const runner = await run({
    pgPool,
    logger: QUIET,
    noHandleSignals: true,
    taskList: { job: async (payload) => started(payload as NewJob) },
    preset: {
      worker: {
        concurrentJobs: CONCURRENCY,
        maxPoolSize: POOL,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  });
  return {
    async close() {
      await runner.stop();
      await pgPool.end();
    },
  };
}
