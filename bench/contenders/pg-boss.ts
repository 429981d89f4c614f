/** pg-boss: its largest batches, its shortest poll; maintenance and schedules off. */
import { Pool } from "pg";
import { PgBoss } from "pg-boss";
import { type Adder, type Addresses, CONCURRENCY, type NewJob, type Worker } from "../contender.ts";

const QUEUE = "bench";

async function start(postgres: string): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: postgres, supervise: false, schedule: false, max: 20 });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  return boss;
}

export async function openAdder({ postgres }: Addresses): Promise<Adder> {
  const boss = await start(postgres);
  const pool = new Pool({ connectionString: postgres, max: 1 });
  const optionsOf = ({ dueAt }: NewJob) => (dueAt === undefined ? {} : { startAfter: new Date(dueAt) });
  return {
    prepare: () => boss.createQueue(QUEUE),
    add: async (job) => void (await boss.send(QUEUE, job, optionsOf(job))),
    addMany: async (jobs) =>
      void (await boss.insert(
        QUEUE,
        jobs.map((data) => ({ data, ...optionsOf(data) })),
      )),
    async unfinished() {
      const { rows } = await pool.query(
        "SELECT count(*)::int AS n FROM pgboss.job WHERE state < 'completed'",
      );
      return rows[0].n;
    },
    async close() {
      await pool.end();
      await boss.stop({ graceful: false });
    },
  };
}

export async function openWorker({ postgres }: Addresses, started: (job: NewJob) => void): Promise<Worker> {
  const boss = await start(postgres);
  await boss.work<NewJob>(
    QUEUE,
    { batchSize: CONCURRENCY, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
    async (jobs) => {
      for (const { data } of jobs) started(data);
    },
  );
  return { close: () => boss.stop({ graceful: false }) };
}
